"""OpenAI's Realtime protocol (GA names), without I/O: what a client may say, what it is due, and in which order."""
