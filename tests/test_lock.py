"""What the image installs: the versions that pyproject.toml allows, each with its hashes, and no address."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = ("genie", "korean", "listen")
LOCKED = {
    canonicalize_name(name): Version(version)
    for name, version in re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", LOCK, re.MULTILINE)
}
WANTED = [
    *PROJECT["project"]["dependencies"],
    *(line for extra in EXTRAS for line in PROJECT["project"]["optional-dependencies"][extra]),
    *PROJECT["build-system"]["requires"],
]


@pytest.mark.parametrize("line", WANTED)
def test_what_is_wanted_is_locked(line: str) -> None:
    wanted = Requirement(line)
    assert LOCKED[canonicalize_name(wanted.name)] in wanted.specifier, "run `make lock`"


def test_every_package_has_hashes_and_no_address() -> None:
    entries = re.split(r"\n(?=\S)", LOCK.strip())
    assert len(entries) == len(LOCKED)
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in LOCK
    assert not re.search(r"^--", LOCK, re.MULTILINE)


def test_nothing_below_a_known_fault_is_allowed() -> None:
    line = next(line for line in WANTED if Requirement(line).name == "python-multipart")
    floors = [Version(each.version) for each in Requirement(line).specifier if each.operator in (">=", "==")]
    assert max(floors) >= Version("0.0.31")


@pytest.mark.parametrize(("name", "at_least"), [("starlette", "1.3.1"), ("python-multipart", "0.0.31")])
def test_what_serves_has_the_fixes(name: str, at_least: str) -> None:
    """Starlette's floor in pyproject.toml is lower for one extra: Gradio, in [fastrtc], allows none of 1.x."""
    assert LOCKED[canonicalize_name(name)] >= Version(at_least)
    assert Version(version(name)) >= Version(at_least), "what is installed here"
