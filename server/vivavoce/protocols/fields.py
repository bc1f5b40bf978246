"""What a field of a message may hold: small checks that read a JSON value and say in words what they expected.

Knows nothing of messages. They write these rules beside their fields, `Annotated[float | None, Number(0.25, 4)]`,
and `build` and `plain` go from JSON objects to such dataclasses and back.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar, cast, get_type_hints


class Refused(Exception):
    """A value that a rule does not accept, or a field that is not there.

    Attributes:
        expected: what would have been accepted; empty where the field is missing.
        where: the field, dotted where it is inside another.
    """

    def __init__(self, expected: str, where: str = "") -> None:
        super().__init__(expected)
        self.expected = expected
        self.where = where


class Rule(Protocol):
    """Reads one JSON value."""

    def read(self, value: object) -> object:
        """The value as the message keeps it.

        Raises:
            Refused: If it is not acceptable.
        """
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """A string of at most `longest` code points."""

    longest: int = 1_000_000

    def read(self, value: object) -> str:
        if isinstance(value, str) and len(value) <= self.longest:
            return value
        raise Refused(f"a string of at most {self.longest} characters")


@dataclass(frozen=True, slots=True)
class Word:
    """A name that means the same in any case; kept in lower case."""

    longest: int

    def read(self, value: object) -> str:
        return Text(self.longest).read(value).strip().lower()


_WRITTEN_NUMBER: Final = re.compile(r"[+-]?\d{1,19}(?:\.\d{0,19})?(?:[eE][+-]?\d{1,3})?", re.ASCII)


def as_number(value: object) -> object:
    """A text that is nothing but a number as that number, anything else as it is: forms and clients write "1.0"."""
    if not isinstance(value, str) or not _WRITTEN_NUMBER.fullmatch(plain := value.strip()):
        return value
    return int(plain) if plain.lstrip("+-").isdecimal() else float(plain)


@dataclass(frozen=True, slots=True)
class Whole:
    """An integer within a range; 3.0 is one, true is not."""

    low: int
    high: int

    def read(self, value: object) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high:
            return value
        raise Refused(f"a whole number from {self.low} to {self.high}")


INDEX = Whole(0, 2**53 - 1)  # what every JSON reader counts to without loss


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number within a range; true is not one. An integer stays one, to be written back as it came.

    Attributes:
        above: `low` itself is not one of them.
    """

    low: float
    high: float
    above: bool = False

    def read(self, value: object) -> float:
        plain_number = isinstance(value, int | float) and not isinstance(value, bool)
        if plain_number and self._holds(cast(float, value)):
            return cast(float, value)
        if self.above:
            raise Refused(f"a number above {self.low:g} and at most {self.high:g}")
        raise Refused(f"a number from {self.low:g} to {self.high:g}")

    def _holds(self, value: float) -> bool:
        """Never true of NaN."""
        return (self.low < value if self.above else self.low <= value) and value <= self.high


@dataclass(frozen=True, slots=True)
class Written:
    """A number that clients may write as text too: "1.0"."""

    number: Rule

    def read(self, value: object) -> object:
        return self.number.read(as_number(value))


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""

    def read(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        raise Refused("true or false")


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few words, in any case."""

    words: tuple[str, ...]

    def read(self, value: object) -> str:
        plain_word = value.strip().lower() if isinstance(value, str) else None
        for word in self.words:
            if word.lower() == plain_word:
                return word
        raise Refused("one of " + ", ".join(self.words))


@dataclass(frozen=True, slots=True)
class Shaped:
    """An object with the fields of a dataclass."""

    kind: type

    def read(self, value: object) -> object:
        if isinstance(value, dict):
            return build(self.kind, value)
        raise Refused("an object")


@dataclass(frozen=True, slots=True)
class Many:
    """An array whose items all follow one rule; kept as a tuple."""

    item: Rule

    def read(self, value: object) -> tuple[object, ...]:
        if isinstance(value, list):
            return tuple(self.item.read(each) for each in value)
        raise Refused("an array")


_Shape = TypeVar("_Shape")


def build(kind: type[_Shape], values: Mapping[str, object]) -> _Shape:
    """A dataclass from a JSON object. Unknown fields are ignored, null counts as absent.

    Raises:
        Refused: If a value breaks its field's rule or a field without a default is absent.
    """
    read: dict[str, Any] = {}
    for name, (rule, required) in _rules(cast(Any, kind)).items():
        value = values.get(name)
        if value is not None:
            read[name] = _apply(rule, value, name)
        elif required:
            raise Refused("", name)
    return kind(**read)


def plain(shape: object, keep_null: tuple[type, ...] = ()) -> dict[str, object]:
    """A dataclass as JSON values, without fields that are None (but in shapes of `keep_null`)."""
    assert dataclasses.is_dataclass(shape)
    pairs = ((each.name, getattr(shape, each.name)) for each in dataclasses.fields(shape))
    kept = isinstance(shape, keep_null)
    return {name: _plain_value(value, keep_null) for name, value in pairs if value is not None or kept}


def _plain_value(value: object, keep_null: tuple[type, ...]) -> object:
    if isinstance(value, tuple):
        return [_plain_value(each, keep_null) for each in value]
    return plain(value, keep_null) if dataclasses.is_dataclass(value) else value


def _apply(rule: Rule, value: object, name: str) -> object:
    try:
        return rule.read(value)
    except Refused as refused:
        raise Refused(refused.expected, f"{name}.{refused.where}" if refused.where else name) from None


@functools.cache
def _rules(kind: type) -> dict[str, tuple[Rule, bool]]:
    """Each field's rule, and whether the field is required."""
    hints = get_type_hints(kind, include_extras=True)
    return {
        each.name: (hints[each.name].__metadata__[0], each.default is dataclasses.MISSING)
        for each in dataclasses.fields(kind)
    }
