"""The native stream: text in while sound comes out (docs/protocol.md)."""
