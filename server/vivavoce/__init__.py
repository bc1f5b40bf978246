"""Viva Voce: a real-time voice server. Text comes in as it is written, sound goes out while it is being computed."""

__version__ = "0.1.0"
