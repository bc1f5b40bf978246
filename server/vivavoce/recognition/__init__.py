"""Listening: from sound that comes in to words, and to whose turn it is."""
