"""The process as the network sees it: the server, its connections, who may call and with what."""
