"""How speech may be wished for: the options, their ranges and defaults, written once for every door.

HTTP, live streams, calls, the command line and FastRTC refer to these; `SpeechOptions` itself refuses what is out of
range, so that no engine ever meets it. Knows no engine and no protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Generic, NamedTuple, TypeVar

from vivavoce.errors import InvalidRequest, UnknownLanguage
from vivavoce.languages import AUTO, LANGUAGES

N = TypeVar("N", bound=float)


class Range(NamedTuple, Generic[N]):
    """Numbers from `low` to `high`; with `above`, `low` itself is not one of them."""

    low: N
    high: N
    above: bool = False

    def holds(self, value: float) -> bool:
        """Whether a number is one of them; NaN never is."""
        return (self.low < value if self.above else self.low <= value) and value <= self.high

    def __str__(self) -> str:
        return f"above {self.low:g} and at most {self.high:g}" if self.above else f"from {self.low:g} to {self.high:g}"


SPEED: Final = Range(0.25, 4.0)
SEED: Final = Range(0, 2**63 - 1)
TEMPERATURE: Final = Range(0.0, 5.0)
TOP_K: Final = Range(1, 1025)
TOP_P: Final = Range(0.0, 1.0, above=True)
REPETITION_PENALTY: Final = Range(0.0, 10.0, above=True)
SAMPLE_RATE: Final = Range(8000, 48000)  # Hz of what is sent
MAX_INSTRUCTIONS: Final = 4096  # characters


@dataclass(frozen=True, slots=True)
class SpeechOptions:
    """How to say it. None means: the voice's own default.

    Attributes:
        language: one of `languages.LANGUAGES`, or "auto".
        speed: within `SPEED`, pitch kept.
        seed: same seed, text and voice give the same audio; None draws one.
        temperature, top_k, top_p, repetition_penalty: sampling of semantic tokens (autoregressive engines only).
        instructions: free text; an engine may map it to a reference such as "sad". Unknown ones are ignored.
        reference: named style of the voice ("Sad"), as in `voice: "mika/Sad"`.
        like: what the engine has learned of a recording to speak like; goes before `reference`. No message says it.

    Raises:
        InvalidRequest: If a number is out of its range.
        UnknownLanguage: If the language is no code.
    """

    language: str = AUTO
    speed: float = 1.0
    seed: int | None = None
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    repetition_penalty: float | None = None
    instructions: str | None = None
    reference: str | None = None
    like: object | None = None

    def __post_init__(self) -> None:
        if self.language not in (AUTO, *LANGUAGES):
            raise UnknownLanguage(self.language, (AUTO, *LANGUAGES))
        for name, allowed in _RANGES.items():
            value: float | None = getattr(self, name)
            if value is not None and not allowed.holds(value):
                raise InvalidRequest(f"{name} must be {allowed}", param=name)

    @classmethod
    def of(cls, message: object) -> SpeechOptions:
        """The options among the attributes of a message; what it lacks, or has as None, is the default."""
        asked = {name: getattr(message, name, None) for name in cls.__slots__ if name != "like"}
        return cls(**{name: value for name, value in asked.items() if value is not None})


_RANGES: Final[Mapping[str, Range[Any]]] = MappingProxyType({
    "speed": SPEED,
    "seed": SEED,
    "temperature": TEMPERATURE,
    "top_k": TOP_K,
    "top_p": TOP_P,
    "repetition_penalty": REPETITION_PENALTY,
})  # fmt: skip
