"""Ways in and out: HTTP, WebSocket, WebRTC. Thin: bytes in, bytes out, everything else is the synthesizer's."""
