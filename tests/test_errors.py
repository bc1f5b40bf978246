"""The tree drawn at the head of `errors` is the tree of its classes."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator

from vivavoce import errors
from vivavoce.errors import VivaVoceError


def drawn() -> list[tuple[int, str, str]]:
    """(depth, name, what stands behind it) of each line of the drawing."""
    lines = re.findall(r"^( {4,})(\w+) *(.*)$", errors.__doc__ or "", re.MULTILINE)
    return [(len(indent) // 2 - 2, name, rest.strip()) for indent, name, rest in lines]


def grown(kind: type[VivaVoceError] = VivaVoceError, depth: int = 0) -> Iterator[tuple[int, type[VivaVoceError]]]:
    """The classes of the package in the order they are drawn: each before those below it."""
    yield depth, kind
    for below in kind.__subclasses__():
        if below.__module__.startswith(f"{errors.__name__}."):
            yield from grown(below, depth + 1)


def test_every_class_is_drawn_below_its_base() -> None:
    def parents(rows: list[tuple[int, str]]) -> dict[str, str]:
        path: list[str] = []
        found = {}
        for depth, name in rows:
            path[depth:] = [name]
            found[name] = path[depth - 1] if depth else ""
        return found

    classes = parents([(depth, kind.__name__) for depth, kind in grown()])
    assert parents([(depth, name) for depth, name, _ in drawn()]) == classes
    assert len(drawn()) == len(classes)


def test_status_and_close_codes_are_those_drawn() -> None:
    kinds = {kind.__name__: kind for _, kind in grown()}
    for _, name, rest in drawn():
        codes = [int(code) for code in re.findall(r"\d+", rest)]
        if "exit code" in rest or not codes:  # it ends a program, not a request
            continue
        assert codes[0] == kinds[name].status, name
        if len(codes) == 2:
            assert codes[1] == kinds[name].close_code, name


def test_an_error_crosses_to_another_process_whole() -> None:
    """Whatever its constructor takes: what one machine of a cluster raises, another tells its client."""
    samples: list[VivaVoceError] = [
        errors.TextTooLong(5000, 4096),
        errors.UnknownVoice("nobody", ["alpha"]),
        errors.UnspeakableText("alpha", ("English",)),
        errors.CannotCopy("alpha"),
        errors.ProtocolError("no", code="odd", close_code=1003),
        errors.HostedModelFailed("no", upstream_status=402),
        errors.Overloaded(retry_after_s=2.0),
    ]
    for error in samples:
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error)
        assert again.to_wire() == error.to_wire()
        assert str(again) == str(error)
        seen = ("status", "close_code", "retry_after_s", "retryable")
        assert [getattr(again, name) for name in seen] == [getattr(error, name) for name in seen]
