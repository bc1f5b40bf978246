"""`docs/settings.md` says what the Config says."""

from __future__ import annotations

from pathlib import Path

from vivavoce.cli.settings_page import page
from vivavoce.config import FIELDS, SECTIONS

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it again with `make docs`"


def test_every_setting_stands_in_it_once() -> None:
    rows = [line.split("`")[1] for line in page().splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted(FIELDS)
    assert page().count("\n## ") == len(SECTIONS)


def test_a_secret_has_no_flag() -> None:
    secrets = [name for name, entry in FIELDS.items() if entry.metadata["secret"]]
    assert "api_keys" in secrets
    for name in secrets:
        assert f"--{name.replace('_', '-')}`" not in page()
        assert f"VIVAVOCE_{name.upper()}" in page()


def test_a_table_row_has_five_cells() -> None:
    rows = [line for line in page().splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {6}
