"""The tables of docs/text.md are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vivavoce.text.normalize import normalize

PAGE = Path(__file__).parents[2] / "docs" / "text.md"
ROWS = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)


def test_the_table_was_found() -> None:
    assert len(ROWS) >= 12


@pytest.mark.parametrize(("written", "said"), ROWS)
def test_said_as_the_page_says(written: str, said: str) -> None:
    language = "ko" if re.search("[가-힣]", said) else "en"
    assert normalize(written, language).text == said
