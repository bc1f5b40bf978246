"""Every mistake that `make mutants` puts in still fits the code, and every rule of SECURITY.md has one.

Whether tests notice them is for `make mutants` to show, which takes half an hour.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

import vivavoce
from mended_faults import ROWS
from mutant import Mutant
from mutants import ACCEPTED, MUTANTS

ROOT = Path(__file__).parents[1]
PACKAGE = Path(vivavoce.__file__).parent

# Rules of the guides, which run as they are written: no mistake in the code breaks them.
OF_GUIDES = {"M11"}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_changes_one_place_and_names_tests_that_exist(mutant: Mutant) -> None:
    assert (PACKAGE / mutant.file).read_text(encoding="utf-8").count(mutant.old) == 1
    assert mutant.old != mutant.new
    paths = mutant.tests.partition(" -k ")[0].split()
    assert paths
    assert all((ROOT / path).exists() for path in paths)


def test_every_rule_has_a_mutant_and_every_mutant_a_name_of_its_own() -> None:
    assert {mutant.row for mutant in MUTANTS} - {""} == set(ROWS)
    assert max(Counter(mutant.name for mutant in MUTANTS).values()) == 1
    assert set(ACCEPTED) <= {mutant.name for mutant in MUTANTS}


def test_the_rules_of_the_guide_are_those_that_are_tried() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    written = set(re.findall(r"^\| ([A-Z]\d*) \|", text, re.MULTILINE))
    assert written - OF_GUIDES <= set(ROWS)
    assert set(ROWS) <= written
