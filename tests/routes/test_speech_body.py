"""The body of a request to speak, read without a server."""

from __future__ import annotations

from vivavoce.routes.speech_body import parse_speech

ACCENT = "Cafe\u0301 au lait is open now."  # an e and an accent of its own: 25 characters, composed 24


def test_a_text_stays_as_it_was_sent() -> None:
    """Places of words count in it: composed, every word after the first would be off by one."""
    assert parse_speech({"input": ACCENT}, max_text=100).input == ACCENT


def test_null_is_as_if_not_sent() -> None:
    body = parse_speech({"input": "Hi.", "speed": None, "response_format": None, "model": None}, max_text=100)
    assert (body.speed, body.response_format, body.model) == (1.0, None, "tts-1")
