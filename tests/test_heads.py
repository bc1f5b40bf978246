"""Whoever is named at the head of a module as its caller imports it: a head that has grown old misleads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import vivavoce

ROOT = Path(vivavoce.__file__).parent
SOURCES = {path: path.read_text(encoding="utf-8") for path in sorted(ROOT.rglob("*.py"))}

# "Called by the routes and by `gate.py`": whoever stands in backticks up to the end of the clause.
_CALLED = re.compile(r"(?:called|made|used|opened)\s+by\s+((?:`[^`]*`|[^.;:`])*)", re.IGNORECASE)
_FILE = re.compile(r"`([\w/]+\.py)`")


def callers(head: str) -> list[str]:
    """The files that a head names as callers."""
    return [file for clause in _CALLED.findall(head) for file in _FILE.findall(clause)]


def imported(source: str) -> Iterator[str]:
    """Full names of what a module imports, and of the modules it imports from."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield module
                yield from (f"{module}.{alias.name}" for alias in names)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)


NAMED = [
    pytest.param(path, caller, id=f"{path.relative_to(ROOT)}-{caller}")
    for path, source in SOURCES.items()
    for caller in callers(ast.get_docstring(ast.parse(source)) or "")
]


@pytest.mark.parametrize(("path", "caller"), NAMED)
def test_a_caller_that_is_named_imports_the_module(path: Path, caller: str) -> None:
    candidates = [other for other in SOURCES if other.as_posix().endswith("/" + caller)]
    assert candidates, f"there is no {caller}"
    assert any(module_of(path) in set(imported(SOURCES[other])) for other in candidates)


def test_names_are_found_in_the_ways_they_are_written() -> None:
    assert callers("Does it. Called by `a.py` and, like `b/c.py`, by nobody; knows `d.py`.") == ["a.py", "b/c.py"]
    assert callers("Made by the composition root (`x.py`). Used by\n`y.py`, for strangers.") == ["x.py", "y.py"]
    assert callers("`z.py` reads it.") == []
    assert len(NAMED) > 40
