"""What a careful reader says: the table of read_aloud.txt, rule by rule, and what holds for all its rows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vivavoce.text.normalize import normalize

TABLE = Path(__file__).with_name("read_aloud.txt")


def rows() -> list[tuple[str, str, str, str]]:
    """(rule, language, written, said); a rule's language stands behind it in brackets, English where none does."""
    found: list[tuple[str, str, str, str]] = []
    rule, language = "", "en"
    for line in TABLE.read_text("utf-8").splitlines():
        if line.startswith("## "):
            rule = line[3:]
            language = name[1] if (name := re.search(r"\[(\w\w)\]\Z", rule)) else "en"
        elif " ~~> " in line and not line.startswith("# "):
            written, said = line.split(" ~~> ")
            found.append((rule, language, _unescaped(written), said))
    return found


def _unescaped(written: str) -> str:
    plain = re.sub(r"(?<!\\)\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), written)
    return re.sub(r"(?<!\\)\\n", "\n", plain).replace("\\\\", "\\")


ROWS = rows()
ENGLISH = [(written, said) for _, language, written, said in ROWS if language == "en"]


def test_the_table_is_whole() -> None:
    assert len(ENGLISH) >= 600
    assert len({rule for rule, *_ in ROWS}) >= 20
    assert len({(language, written) for _, language, written, _ in ROWS}) == len(ROWS), "a row stands twice"


@pytest.mark.parametrize(("rule", "language", "written", "said"), ROWS)
def test_said_as_a_careful_reader_says_it(rule: str, language: str, written: str, said: str) -> None:
    assert normalize(written, language).text == said, rule


def test_what_is_words_already_stays() -> None:
    changed = [said for _, said in ENGLISH if normalize(said, "en").text != said]
    assert not changed


def test_the_end_of_a_sentence_stays() -> None:
    ended = [written for written, _ in ENGLISH if written[-1] in ".!?"]
    assert not [written for written in ended if normalize(written, "en").text[-1] != written[-1]]


def test_the_map_leads_back_to_what_was_written() -> None:
    for rule, language, written, said in ROWS:
        spoken = normalize(written, language)
        at = source_at = 0
        for start, end, source_start, source_end in spoken.spans:
            assert start == at < end, written
            assert source_at <= source_start < source_end <= len(written), written
            at, source_at = end, source_end
        assert at == len(said), rule
