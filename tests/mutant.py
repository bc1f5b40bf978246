"""A mistake that is put into the code to see whether a test notices: what `mutants.py` runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One mistake.

    Attributes:
        file: below server/vivavoce.
        old, new: the replacement; `old` occurs once.
        tests: that have to fail, as pytest takes them.
        row: of `mended_faults.ROWS`, the rule it breaks; "" where it stands for itself.
    """

    name: str
    file: str
    old: str
    new: str
    tests: str
    row: str = ""
