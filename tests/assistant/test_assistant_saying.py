"""Each change of what the assistant says is told once."""

from vivavoce.assistant.assistant_saying import AssistantSaying
from vivavoce.recognition.turn_events import AssistantFalls, AssistantSpeaks


def test_each_change_is_told_once() -> None:
    saying = AssistantSaying()
    assert saying.changes(None) == []
    assert saying.changes("Hello") == [AssistantSpeaks("Hello")]
    assert saying.is_speaking
    assert saying.changes("Hello") == []
    assert saying.changes("Hello there") == [AssistantSpeaks("Hello there")]
    assert saying.changes(None) == [AssistantFalls()]
    assert not saying.is_speaking
