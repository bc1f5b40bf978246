"""Markdown and HTML off, their words on.

A chat model's answer is made to be seen. Knows no language and speaks nothing: code blocks go, links and emphasis
leave their words, tables and list bullets leave pauses. Called by `normalize`, on one sentence or a whole text.
"""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.boundaries import fence
from vivavoce.text.mapped import MappedText

_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")

_ESCAPE: Final = re.compile(r"\\([\\`*_{}\[\]()#+.!|$>~-])")
_COMMENT: Final = re.compile(r"<!--[^<]*?-->")
_AUTOLINK: Final = re.compile(r"<((?:https?://|mailto:|www\.)[^<>\s]+)>")
_TAG: Final = re.compile(r"</?[A-Za-z][A-Za-z0-9-]*+(?:[\s/][^<>\n]*+)?>")
_DEFINITION: Final = re.compile(r"(?m)^[ \t]*+\[[^\[\]\n]++\]:[ \t]*+\S++[^\n]*+$")
_TARGET: Final = r"\((?:[^()\s]|\([^()\s]*+\))*+(?:[ \t]+\"[^\"\n]*+\")?\)"
_LINK: Final = re.compile(rf"!?\[([^\[\]\n]*+)\](?:{_TARGET}|\[[^\[\]\n]*+\])")
_LINK_END: Final = re.compile(rf"\]{_TARGET}")  # its label began in the sentence before
_FOOTNOTE: Final = re.compile(r"(?<=[\w.,;:!?)\"'])\[\^?\d{1,3}\]|\[\^[^\[\]\s]{1,40}\]")
_RULE_LINE: Final = re.compile(r"(?m)^[ \t]*+(?:[-*_=][ \t]*+){3,}+$")
_TABLE_RULE: Final = re.compile(r"(?m)^(?=[^\n]*[|-][^\n]*\|)[ \t|:-]*+$")
_TABLE_EDGE: Final = re.compile(r"(?m)^[ \t]*+\|[ \t]*+|(?<![ \t])[ \t]*+\|[ \t]*+$")
_CELL: Final = re.compile(r"(?<![ \t])[ \t]*+\|[ \t]*+")
_LINE_HEAD: Final = re.compile(r"(?m)^[ \t]*+(?:>[ \t]*+)*+(?:#{1,6}+[ \t]+|[-*+•‣◦▪·][ \t]+(?:\[[ xX]\][ \t]+)?)?")
_HEAD_END: Final = re.compile(r"(?m)(?<![ \t])[ \t]++#++[ \t]*+$")
_STRIKE: Final = re.compile(r"~{2,}+|`++|\*{2,}+|={2,}+(?=\w)|(?<=\w)={2,}+(?!\w|=)")
_STAR: Final = re.compile(r"\*(?!\s?\d)|(?<!\d)(?<!\d\s)\*")
_UNDERSCORE: Final = re.compile(r"(?<![\w/@.=&?-])_++(?=\w)|(?<=\w)_++(?![\w/@.=&?-])")
_LIST_NUMBER: Final = re.compile(r"(?m)^[ \t]*+\d{1,3}([.)])(?=[ \t]+\S)")


def strip_markup(text: MappedText) -> None:
    """Leave what a reader would read aloud."""
    text.remove(_code_blocks(text.text))
    for pattern in (_COMMENT, _DEFINITION):
        text.sub(pattern, "")
    for pattern in (_AUTOLINK, _LINK):
        text.keep(pattern)
    text.sub(_TAG, " ")
    for pattern in (_LINK_END, _FOOTNOTE, _RULE_LINE, _TABLE_RULE, _TABLE_EDGE):
        text.sub(pattern, "")
    text.sub(_CELL, ", ")
    for pattern in (_LINE_HEAD, _HEAD_END, _STRIKE, _STAR, _UNDERSCORE):
        text.sub(pattern, "")
    text.keep(_ESCAPE)
    text.sub(_LIST_NUMBER, lambda found: found[0][:-1] + ",")


def _code_blocks(text: str) -> list[tuple[int, int]]:
    """Where the fenced blocks stand; one that is not closed runs to the end."""
    blocks: list[tuple[int, int]] = []
    opened, marks = 0, ""
    for found in _LINE.finditer(text):
        line = found[0].strip()
        if marks:
            if len(line) >= len(marks) and not line.strip(marks[0]):
                blocks.append((opened, found.end()))
                marks = ""
        elif line[:3] in ("```", "~~~"):
            length = fence(text, text.index(line[0], found.start()), final=True)
            assert length != "wait"
            if length:
                opened, marks = found.start(), line[0] * length
    return [*blocks, (opened, len(text))] if marks else blocks
