"""Whether the server still takes work: one value, set once, handed to everything that would begin something.

Made by the composition root (`app/server.py`), which also writes down the order of closing.
"""

from __future__ import annotations


class Draining:
    """False until the server stops; then true for good."""

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun = False

    def begin(self) -> None:
        """From now on nothing new is taken. Any number of times."""
        self._begun = True

    @property
    def has_begun(self) -> bool:
        """Whether new work is to be refused."""
        return self._begun
