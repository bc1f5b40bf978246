"""The native stream's wire protocol: messages and session rules, without sockets, clocks or threads."""
