"""What is known of a recording before any of it is decoded, and the one error of all its readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from vivavoce.audio.chunk import Samples


class UnreadableSound(Exception):
    """The bytes are damaged or not what they claim; the message is the rest of a sentence that begins with the file."""


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """What the header of a recording says of its sound.

    Attributes:
        container, codec: short lower-case names; codecs of plain numbers begin with "pcm_".
        sample_rate: Hz, as claimed.
        channels: as claimed.
    """

    container: str
    codec: str
    sample_rate: int
    channels: int


Acceptance: TypeAlias = Callable[[SoundFormat], None]  # raises where the recording is not wanted


class SoundReader(Protocol):
    """A container: bytes in, samples at the recording's own rate out, mono."""

    def read(self, data: bytes) -> Iterator[tuple[Samples, int]]:
        """Take bytes, yield (float32 [n], rate in Hz)."""
        ...

    def end(self) -> Iterator[tuple[Samples, int]]:
        """No more bytes will come; yield what was kept back."""
        ...

    def close(self) -> None:
        """Let go of everything; any number of times."""
        ...
