"""Calls over WebRTC: an offer, a peer connection, a track that speaks and a channel that talks about it."""
