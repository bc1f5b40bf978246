"""The house: how long a module may be, and that the trees drawn in the documents are the folders there are."""

from __future__ import annotations

from pathlib import Path

import vivavoce

ROOT = Path(vivavoce.__file__).parent
REPOSITORY = Path(__file__).parent.parent

LONGEST = 350  # lines
LONGEST_IN = {"routes": 250, "transports": 250}  # one contract or carrier in a file: two would be two ideas


def longest(path: Path) -> int:
    """Lines that a module of the package may have."""
    return LONGEST_IN.get(path.parts[0], LONGEST)


def test_no_module_is_longer_than_one_idea() -> None:
    lines = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in ROOT.rglob("*.py")}
    too_long = [f"{path}: {count} of {longest(path)}" for path, count in lines.items() if count > longest(path)]
    assert not too_long


def test_carriers_and_routes_have_less() -> None:
    assert longest(Path("routes/speech.py")) == longest(Path("transports/webrtc/call.py")) == 250
    assert longest(Path("synthesis/speech_job.py")) == 350
