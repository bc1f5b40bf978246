"""Does this mark end a sentence here? The rules, one mark at a time.

Every rule is a pure function of the buffered text around the mark and answers with the position to cut at, "no", or
"wait" when the answer hangs on text that has not come yet. An answer other than "wait" never changes when more text
comes, which is what makes the splitter blind to how its input was cut into deltas. Called by
`vivavoce.text.sentences` alone, which counts lengths, merges short pieces and decides what to do with the answer.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal

from vivavoce.text.abbreviations import (
    BEFORE_NUMBERS,
    BEFORE_SMALL,
    MAY_END,
    NEVER_END,
    SENTENCE_STARTERS,
    VOICELESS_WORDS,
    ZONES_AND_DAYS,
)
from vivavoce.text.language import is_wide, script_of

Verdict = int | Literal["no", "wait"]

LATIN_MARKS: Final = frozenset(".!?…‼⁇⁈⁉．")
WIDE_MARKS: Final = frozenset("。！？｡")
LATIN_COMMAS: Final = frozenset(",;:")
WIDE_COMMAS: Final = frozenset("，、；：､")
CLOSERS: Final = frozenset("\"'”’»)]}」』）》〉】〕］｝｣")
EMPHASIS: Final = frozenset("*_`~")
NEWLINES: Final = frozenset("\n\r\u2028\u2029")
PAIRS: Final = {"“": "”", "‘": "’", "«": "»", "(": ")", "[": "]", "「": "」", "『": "』", "（": "）", "《": "》",
                "〈": "〉", "【": "】", "〔": "〕", "［": "］", "｢": "｣", '"': '"'}  # fmt: skip

LOOK_AHEAD: Final = 64  # code points; farther text decides nothing, so that waiting (and its cost) is bounded
_LOOK_BACK: Final = 24
_WORD_BEFORE: Final = re.compile(r"(?:[^\W\d_]|\.|['’](?=[^\W\d_]))*+\Z")
_VOICELESS: Final = re.compile(r"(?i)[bcdfghjklmnpqrstvwxz]+")
_NUMBER_BEFORE: Final = re.compile(r"(?<!\S)\d{1,3}\Z")
_DATE_BEFORE: Final = re.compile(r"(?<!\d)[12]\d{3}(?P<parts>(?:\.[ ]?\d{1,2}){0,2})\Z")
_DATE_GOES_ON: Final = re.compile(r"[ ]?(?:\d{1,2}(?P<point>\.)?)?")
_FOOTNOTE: Final = re.compile(r"\[\^?\d{0,3}+\]?")
_LIST_START: Final = re.compile(r"[\s*_>#-]*+(\d{1,3})[.)]\s")


def latin_mark(text: str, begin: int, at: int, final: bool) -> Verdict:
    """A run of . ! ? … that starts at `at`, inside the sentence that starts at `begin`.

    It ends the sentence when white space or a wide character follows (one character of look-ahead), unless it belongs
    to an abbreviation, initials, a list marker, an ellipsis in mid-sentence or a quoted question that goes on.
    """
    end, final = min(len(text), at + LOOK_AHEAD), final or len(text) >= at + LOOK_AHEAD
    run = _skip(text, at, end, LATIN_MARKS)
    after = run
    while after < end and (text[after] in CLOSERS or text[after] in EMPHASIS or _is_symbol(text[after])):
        after += 1
    note = _FOOTNOTE.match(text, after, end)
    if note is not None:
        if note.end() == end and not final and not note[0].endswith("]"):
            return "wait"
        after = note.end() if note[0].endswith("]") else after
    if after == end:
        return after if final else "wait"
    if text[after] in NEWLINES:
        return "no"  # the line's end is a boundary of its own
    if not (text[after].isspace() or is_wide(text[after]) or text[after] in "「『（“《【"):
        return "no"
    marks, closed = text[at:run], any(char in CLOSERS for char in text[run:after])
    if closed and script_of(text[after]) == "hangul":
        return "no"  # "그는 "좋아."라고 말했다.": a Korean quotation is taken up by what is written against it
    cut = after + text[after].isspace()
    if marks == "." and not closed:
        return _period(text, begin, at, after, end, final, cut)
    if closed or (marks[-1] in ".…" and (len(marks) > 1 or marks == "…")):
        following = _first_char(text, after, end)
        if not following:
            return cut if final else "wait"
        if following.islower() or (not closed and (not following.isupper() or following == "I")):
            return "no"
    return cut


def wide_mark(text: str, at: int, open_quotes: tuple[str, ...], final: bool) -> Verdict:
    """。！？: ends the sentence at once; inside a quotation its closing marks are waited for and kept.

    A Japanese quotation that と or って takes up goes on.
    """
    end, final = min(len(text), at + LOOK_AHEAD), final or len(text) >= at + LOOK_AHEAD
    depth, cut = len(open_quotes), at + 1
    while depth and cut < end and (text[cut] in CLOSERS or text[cut] in WIDE_MARKS):
        depth -= text[cut] in CLOSERS
        cut += 1
    if cut == end and (depth or text[cut - 1] in "」』"):
        return cut if final else "wait"
    return "no" if text[cut - 1] in "」』" and text[cut] in "とっ" else cut


def comma(text: str, at: int, final: bool) -> Verdict:
    """A comma, semicolon or colon between words, never one inside a number, time or date."""
    end, final = min(len(text), at + LOOK_AHEAD), final or len(text) >= at + LOOK_AHEAD
    after_digit = at > 0 and text[at - 1].isdigit()
    wide = text[at] in WIDE_COMMAS
    if wide and not after_digit:
        return at + 1
    if at + 1 == end:
        return at + 1 if final else "wait"
    if not wide and (not text[at + 1].isspace() or text[at + 1] in NEWLINES):
        return "no"
    cut = at + 1 if wide else at + 2
    if not after_digit:
        return cut
    following = _first_char(text, at + 1, end)
    if not following:
        return cut if final else "wait"
    return "no" if following.isdigit() else cut


def newline(text: str, at: int, final: bool) -> tuple[Verdict, bool]:
    """The end of a line: (where to cut, is it followed by a blank line)."""
    if at + 1 == len(text):
        return (at + 1 if final else "wait"), False
    if text[at] == "\r" and text[at + 1] == "\n":
        return "no", False
    blank = text[at + 1] in NEWLINES
    return at + 1 + (blank and text[at + 1] != "\r"), blank


def fence(text: str, at: int, final: bool) -> int | Literal["wait"]:
    """Length of the code fence that opens at `at`, the first visible character of a line; 0 when it is none."""
    end, final = min(len(text), at + LOOK_AHEAD), final or len(text) >= at + LOOK_AHEAD
    run = _skip(text, at, end, frozenset(text[at]))
    if run == end and not final:
        return "wait"
    if run - at < 3:
        return 0
    for char in text[run:end]:  # three backticks may also be inline code, closed on the same line
        if char in NEWLINES:
            return run - at
        if char == "`":
            return 0
    return run - at if final else "wait"


def ends_with_title(text: str, begin: int, end: int) -> bool:
    """True when text[begin:end] ends with "Mr." or its like, after which no line or sentence should break."""
    return text[end - 1 : end] == "." and _word_before(text, begin, end - 1).lower() in NEVER_END


def _period(text: str, begin: int, at: int, after: int, end: int, final: bool, cut: int) -> Verdict:
    """A single full stop with white space or a wide character at `after`."""
    date = _in_date(text, begin, at, end, final)
    if date is not None:
        return date
    number = _NUMBER_BEFORE.search(text[max(begin, at - _LOOK_BACK) : at])
    if number is not None:
        return _after_number(text, begin, at - len(number[0]), at, cut)
    word = _word_before(text, begin, at)
    key = word.lower()
    if key in NEVER_END:
        return "no"
    initials = _is_initials(text[max(begin, at - len(word) - 1) : at], word)
    short = key in BEFORE_SMALL or _is_voiceless(word)
    if not (initials or key in MAY_END or key in BEFORE_NUMBERS or short):
        return cut
    following = _first_char(text, after, end)
    if not following:
        return cut if final else "wait"
    if short and (following.islower() or key not in MAY_END):
        return "no" if following.islower() or following.isdigit() else cut
    if following.isdigit():
        return "no"
    if BEFORE_NUMBERS.get(key) == "word":
        return cut
    if following.islower() or is_wide(following):
        return "no"
    return _before_capital(key, text, after, end, final, cut)


def _in_date(text: str, begin: int, at: int, end: int, final: bool) -> Literal["no", "wait"] | None:
    """ "2024. 5. 3. 금요일": in a Korean date a full stop follows year, month and day. None: this is no such date."""
    date = _DATE_BEFORE.search(text[max(begin, at - _LOOK_BACK) : at])
    if date is None:
        return None
    if date["parts"].count(".") == 2:
        beyond = _first_char(text, at + 1, end)
        if not beyond:
            return None if final else "wait"
        return "no" if script_of(beyond) == "hangul" else None
    following = _DATE_GOES_ON.match(text, at + 1, end)
    if following is None or (following.end() < end and not following["point"]):
        return None
    return "no" if following["point"] else None if final else "wait"


def _is_voiceless(word: str) -> bool:
    """ "tbsp", "blvd", "Sgt": nothing but consonants, and no sound of its own like "hmm"."""
    if not 2 <= len(word) <= 5 or word[1:].upper() == word[1:]:
        return False
    return _VOICELESS.fullmatch(word) is not None and word.lower() not in VOICELESS_WORDS


def _is_initials(with_one_before: str, word: str) -> bool:
    """ "J", "p.m" (also in "5p.m"), "U.S"; not the last letter of an address such as "?a=b"."""
    before = with_one_before[: len(with_one_before) - len(word)]
    if not word or any(len(part) > 1 for part in word.split(".")):
        return False
    return not before or before.isspace() or before in "(['\"“‘-" or ("." in word and before.isdigit())


def _before_capital(key: str, text: str, after: int, end: int, final: bool, cut: int) -> Verdict:
    """An abbreviation and a word with a capital letter: does that word begin a sentence?"""
    start = after
    while start < end and text[start].isspace():
        start += 1
    stop = start
    while stop < end and text[stop].isalpha():
        stop += 1
    if stop == end and not final:
        return "wait"
    word = text[start:stop]
    if not word:  # a quotation, a bracket, a mark
        return cut if len(key) > 1 else "no"
    if len(word) == 1 and text[stop : stop + 1] == ".":  # the next initial
        return "no"
    if key in ("a.m", "p.m", "etc"):
        return "no" if (len(word) > 1 and word.isupper()) or word.lower() in ZONES_AND_DAYS else cut
    return cut if word.lower() in SENTENCE_STARTERS else "no"


def _after_number(text: str, begin: int, start: int, at: int, cut: int) -> Verdict:
    """ "2." is the marker of a list item at the start of a line, and inside it when the sentence began with "1."."""
    line = start
    while line > begin and text[line - 1] not in NEWLINES and (text[line - 1].isspace() or text[line - 1] in "*_>#-"):
        line -= 1
    if line == begin or text[line - 1] in NEWLINES:
        return "no"
    first = _LIST_START.match(text, begin)
    return start if first is not None and int(first[1]) + 1 == int(text[start:at]) else cut


def _word_before(text: str, begin: int, at: int) -> str:
    found = _WORD_BEFORE.search(text[max(begin, at - _LOOK_BACK) : at])
    return found[0] if found is not None else ""


def _first_char(text: str, start: int, end: int) -> str:
    """The first visible character of text[start:end], emphasis marks passed over; empty if none."""
    for char in text[start:end]:
        if not char.isspace() and char not in EMPHASIS:
            return char
    return ""


def _skip(text: str, at: int, end: int, chars: frozenset[str]) -> int:
    while at < end and text[at] in chars:
        at += 1
    return at


def _is_symbol(char: str) -> bool:
    """Emoji and the invisible characters they are built with."""
    return char > "\x7f" and unicodedata.category(char) in ("So", "Sk", "Mn", "Me", "Cf")
