"""What is installed to serve has the fixes that are known to be needed."""

from __future__ import annotations

from importlib.metadata import version


def test_the_web_framework_has_its_fixes() -> None:
    """The floor in pyproject.toml is lower for one extra, whose own dependency allows nothing newer."""
    installed = tuple(int(part) for part in version("starlette").split(".")[:3])
    assert installed >= (1, 3, 1)
