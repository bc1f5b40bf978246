"""What the assistant says, as its ear follows it: the turn detector is told of each change, once.

Pure. Called by `turn_ear.py`.
"""

from __future__ import annotations

from vivavoce.recognition.turn_events import AssistantFalls, AssistantSpeaks


class AssistantSaying:
    """What it said when somebody looked last."""

    def __init__(self) -> None:
        self._said: str | None = None

    @property
    def is_speaking(self) -> bool:
        """The user is talking over it, if they talk."""
        return self._said is not None

    def changes(self, saying: str | None) -> list[AssistantSpeaks | AssistantFalls]:
        """What the turn detector is to be told.

        Args:
            saying: the words about now; None: it is silent.
        """
        if saying == self._said:
            return []
        self._said = saying
        return [AssistantFalls() if saying is None else AssistantSpeaks(saying)]
