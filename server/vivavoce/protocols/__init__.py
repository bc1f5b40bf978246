"""Wire messages and session machines, without any I/O: what a client may say and what it is due."""
