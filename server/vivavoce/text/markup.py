"""Markdown and HTML off, their words on.

A chat model's answer is made to be seen. Knows no language and speaks nothing: code blocks go, links and emphasis
leave their words, tables and list bullets leave pauses. Called by `normalize`, on one sentence or a whole text.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from vivavoce.text.boundaries import fence
from vivavoce.text.formulas import read_formulas
from vivavoce.text.mapped import MappedText

_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")

_ESCAPE: Final = re.compile(r"\\([\\`*_{}\[\]()#+.!|$>~-])")
_COMMENT: Final = re.compile(r"<!--[^<]*?-->")
_AUTOLINK: Final = re.compile(r"<((?:https?://|mailto:|www\.)[^<>\s]+|[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{1,80})>")
# ruff: noqa: E501
_BLOCK_TAG: Final = re.compile(r"(?i)</?(?:p|div|br|hr|li|ul|ol|dl|dt|dd|h[1-6]|tr|table|thead|tbody|section|article|header|footer|"
                               r"blockquote|details|summary|pre|nav|main|aside|figure|figcaption|form|title|body|html|head)(?:[\s/][^<>\n]*+)?>")  # fmt: skip
_CELL_END: Final = re.compile(r"(?i)</t[dh]\s*+>(?!\s*+</tr)")
_ORDINAL_TAG: Final = re.compile(r"(?i)(?<=\d)<sup>[ ]?(st|nd|rd|th)[ ]?</sup>")
_POWER_TAG: Final = re.compile(r"(?i)<sup>\s*([+-]?\w{1,4})\s*</sup>")
_UNSEEN_TAG: Final = re.compile(r"(?is)<(script|style)\b[^<>]*+>[^<]*+</\1\s*>")
_TAG: Final = re.compile(
    r"(?i)</?(?:a|abbr|b|big|button|center|cite|code|col|del|dfn|em|font|i|iframe|img|input|ins|kbd|label|link|"
    r"mark|meta|option|q|s|samp|select|small|span|strike|strong|sub|sup|svg|path|t[dh]|time|tt|u|var|video|"
    r"audio|source|speak|break|prosody|emphasis|say-as|voice|phoneme|think|thinking|answer|response)"
    r"(?:[\s/](?![^<>\n=]{0,40}(?<=[ ])(?:and|or|if|is|then)[ ])[^<>\n]*+)?>"
)
_PLACEHOLDER: Final = re.compile(r"</?(?!\w{1,12} (?:and|or) )([A-Za-z][\w-]*+(?:[ ][\w-]++){0,3})/?>")
_ATTRIBUTED_TAG: Final = re.compile(
    r"</?[A-Za-z][\w:-]*+(?:\s++[\w:-]++=(?:\"[^\"<>\n]*+\"|'[^'<>\n]*+'|[^\s<>\"']++))++\s*+/?>"
)
_DEFINITION: Final = re.compile(r"(?m)^[ \t]*+\[(?!\^)[^\[\]\n]++\]:[ \t]*+\S++[^\n]*+$")
_TARGET: Final = r"\((?:[^()\s]|\([^()\s]*+\))*+(?:[ \t]+\"[^\"\n]*+\")?\)"
_LINK: Final = re.compile(rf"!?\[(?!\d{{1,3}}\]\[\d)([^\[\]\n]*+)\](?:{_TARGET}|\[[^\[\]\n]*+\])")
_LINK_END: Final = re.compile(rf"\]{_TARGET}")  # its label began in the sentence before
_CITATION: Final = re.compile(
    r"(?<=[A-Za-z.,;)\"'][ ])(?:\[\d{1,3}(?:\s?[,–-]\s?\d{1,3}){0,6}\]){1,6}(?=[\s.,;:!?)]|\Z)"
)
_KEY_BEFORE: Final = re.compile(r"(?i)\b(?:press|type|hit|key|option|choose|select|button|enter|dial|push|tap|say|index|is|are|"
                                r"was|of|to|equals|return|returns|see|cf\.|and|or|by|with|"
                                r"refs?\.?|references?)[ ]\Z")  # fmt: skip
# Several behind one another, which are no link with its name: foo[1][2], `foo`[1][2]. A list behind a name in marks of
# code is a shape.
_CITATIONS: Final = re.compile(
    r"(?:(?<=[\w.,;:!?)\"'*])(?:\[[1-9]\d{0,2}(?:\s?[,–-]\s?\d{1,3}){0,6}\](?:[–-](?=\[\d))?){1,12}|(?<=[\w)]`)(?:\[[1-9]\d{0,2}\]){1,12})"
    r"(?![\[(:]|\w)"
)
_INDEXED: Final = re.compile(r"(?:(?<![\w'’])[a-zA-Z]|(?<!\w)(?:arr|array|list|args|argv|data|items|values|results?|rows?|nums|row|col|self|df|"
                             r"matrix|grid|tuple|vec|buf|\w*_\w*))\Z")  # fmt: skip
_FOOTNOTE: Final = re.compile(
    r"(?m)^[ \t]*+\[\^[^\[\]\s]{1,40}\]:|(?<=[\w.,;:!?)\"'])\[\^\d{1,3}\]|\[\^[^\[\]\s]{1,40}\]"
)
_RULE_LINE: Final = re.compile(r"(?m)^[ \t]*+(?:[-*_=][ \t]*+){3,}+$")
_TABLE_RULE: Final = re.compile(r"(?m)^(?=[^\n]*[|-][^\n]*\|)[ \t|:-]*+$")
_TABLE_EDGE: Final = re.compile(r"(?m)^[ \t]*+\|[ \t]*+|(?<![ \t])[ \t]*+\|[ \t]*+$")
_CELL: Final = re.compile(r"(?<![ \t|])[ \t]*+\|(?!\|)[ \t]*+")
_LINE_HEAD: Final = re.compile(
    r"(?m)^[ \t]*+(?:>(?!=|[$€£¥]?\d)[ \t]*+)*+(?:#{1,6}+[ \t]+|[-*+•‣◦▪·][ \t]+(?:\[[ xX]\][ \t]+)?)?"
)
_HEAD_END: Final = re.compile(r"(?m)(?<![ \t])[ \t]++#++[ \t]*+$")
_STRIKE: Final = re.compile(r"~{2,}+|`++|(?<!\d)\*{2,}+|\*{2,}+(?!\d)|(?<!\S)={2,3}+(?=\w)")
_HIGHLIGHT: Final = re.compile(r"(?<![\w=])==(?=[^\s=])([^=\n]{1,200}+)(?<=\S)==(?![\w=])")
_DOUBLE_SPACE: Final = re.compile(r"(?<=[ ])[ ]++(?=\S)")  # a tag stood between: <b>5</b> km
_LOWERED: Final = re.compile(r"(?<=[A-Za-z)])~(\d{1,3})~")  # H~2~O
_RAISED: Final = re.compile(r"(?<=[\w)])\^([+-]?\w{1,4})\^")  # x^2^
_PYTHON_POWER: Final = re.compile(
    r"(?<!\w)(?<!\*\*)([a-z])\*\*(?=-?\d{1,3}(?![\w*]))|(?<=[\w)])()[ ]\*\*[ ](?=-?[\w(])"
)
_PRODUCT: Final = re.compile(r"(?<![\w*\\])([a-z])\*(?=[a-z\d](?![A-Za-z*]))")
_ABSOLUTE: Final = re.compile(r"(?<![\w|])\|(-?\d{1,9}|[a-z](?:[ ]?[-+−–][ ]?\w)?)\|(?=[ ]?[<>=≤≥+*/-])")
# What is dialled keeps its star: *67 behind such a word, *#06# anywhere.
_DIALLED: Final = (r"(?!(?<![\w*])\*#?\d{1,5}[\d*#]{0,30}#)(?!(?i:(?<=dial )|(?<=press )|(?<=call )|(?<=enter )|(?<=type )|"
                   r"(?<=use )|(?<=using )|(?<=dialing )|(?<=pressing )|(?<=code )|(?<=with )|(?<=hit )|(?<=\d or )|"
                   r"(?<=\d and ))\*\d{1,5}(?![\w*]))")  # fmt: skip
_STAR: Final = re.compile(
    rf"(?!(?<!\S)\*\.\w){_DIALLED}(?!(?<=SELECT )\*)(?!(?<=[a-z\d)] )\*[ ](?:[a-z\d]\b|\())(?:\*(?!\s?\d|\*\d)|(?<!\d)(?<!\d[cm]m)(?<!\dm)(?<!\d\s)(?<!\d\*)\*)"
)
_UNDERSCORE: Final = re.compile(r"(?<![\w/@.=&?-])_++(?=\w)|(?<=\w)_++(?![\w/@.=&?-])")
_LIST_NUMBER: Final = re.compile(r"(?m)^[ \t]*+\d{1,3}([.)])(?=[ \t]+\S)")


def strip_markup(text: MappedText) -> MappedText:
    """Leave what a reader would read aloud."""
    text = text.remove(_code_blocks(text.text))
    for pattern in (_COMMENT, _DEFINITION):
        text = text.sub(pattern, "")
    text = text.sub(_CITATIONS, lambda found: None if _is_index(found) else "")
    for pattern in (_AUTOLINK, _LINK):
        text = text.keep(pattern)
    text = _strip_tags(text)
    for pattern in (_LINK_END, _FOOTNOTE):
        text = text.sub(pattern, "")
    text = text.sub(
        _CITATION,
        lambda found: None if _KEY_BEFORE.search(found.string[max(0, found.start() - 16) : found.start()]) else "",
    )
    text = read_formulas(text)
    text = text.keep(_LOWERED)
    text = text.sub(_PYTHON_POWER, lambda found: f"{found[1] or ''}^")
    text = text.sub(_RAISED, r"^\1").sub(_PRODUCT, r"\1×").sub(_ABSOLUTE, r"absolute value of \1")
    for pattern in (_RULE_LINE, _TABLE_RULE, _TABLE_EDGE):
        text = text.sub(pattern, "")
    text = text.sub(_CELL, ", ")
    text = text.keep(_HIGHLIGHT)
    for pattern in (_LINE_HEAD, _HEAD_END, _STRIKE, _STAR, _UNDERSCORE):
        text = text.sub(pattern, "")
    text = text.keep(_ESCAPE)
    return text.sub(_LIST_NUMBER, lambda found: found[0][:-1] + ",")


def _is_index(found: re.Match[str]) -> bool:
    """x[1], arr[2]: a place in something, which is said."""
    numbers = [int(number) for number in re.findall(r"\d+", found[0])]
    is_sorted = all(one < after for one, after in pairwise(numbers))  # [1,512,1] is a shape
    return not is_sorted or _INDEXED.search(found.string[max(0, found.start() - 24) : found.start()]) is not None


def _strip_tags(text: MappedText) -> MappedText:
    """Blocks and line breaks become lines, other tags nothing; the words of a placeholder such as <name> stay."""
    if "<" not in text.text:
        return text
    text = text.sub(_UNSEEN_TAG, " ")
    text = text.keep(_ORDINAL_TAG)
    text = text.sub(_POWER_TAG, lambda found: f"^{found[1]}")
    text = text.sub(_CELL_END, ", ")
    text = text.sub(_BLOCK_TAG, "\n")
    for pattern in (_TAG, _ATTRIBUTED_TAG):
        text = text.sub(pattern, " ")
    return text.keep(_PLACEHOLDER).sub(_DOUBLE_SPACE, "")


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
