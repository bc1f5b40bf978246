"""When an answer may be begun: words and verdict of the same silence, in either order."""

from __future__ import annotations

from vivavoce.assistant.foresight import Foresight
from vivavoce.recognition.turn_events import Words


def test_words_and_verdict_are_needed_in_whatever_order() -> None:
    foresight = Foresight()
    foresight.soften(3)
    assert foresight.understood(Words(0, "Hello?", 3)) is None
    assert foresight.judged(3, 0.9) == "Hello?"
    foresight.soften(4)
    assert foresight.judged(4, 0.9) is None
    assert foresight.understood(Words(0, "Hello there?", 4)) == "Hello there?"


def test_what_sounds_unfinished_or_has_no_words_is_not_answered() -> None:
    foresight = Foresight()
    foresight.soften(0)
    assert foresight.judged(0, 0.1) is None
    assert foresight.understood(Words(0, "I think that", 0)) is None
    foresight.soften(1)
    assert foresight.judged(1, 0.9) is None
    assert foresight.understood(Words(0, " ", 1)) is None
    assert foresight.understood(Words(0, "Tell me about the", 1, language="en")) is None
    assert foresight.understood(Words(0, "Tell me about it.", 1, closed=0.6)) is None


def test_what_is_late_is_ignored() -> None:
    foresight = Foresight()
    foresight.soften(0)
    foresight.judged(0, 0.9)
    foresight.resume()
    assert foresight.understood(Words(0, "Hello?", 0)) is None
    foresight.soften(1)
    assert foresight.understood(Words(0, "Hello?", 0)) is None
    assert foresight.judged(0, 0.9) is None
    assert foresight.understood(Words(0, "Hello?", None)) is None
