"""Characters that can be spoken: what has no sound goes, variants of one sign become that sign.

Emoji, controls, bidi marks, lone surrogates and stacks of accents fall here; quotes and dashes are made plain, the
text composed (NFC). Knows no words. Called by `normalize`.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

from vivavoce.text.mapped import MappedText

_ENTITY: Final = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]{1,8}|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});")
_PLAIN: Final[dict[str, str]] = {
    **dict.fromkeys("“”„‟«»〝〞", '"'),
    **dict.fromkeys("‘’‚‛ʼʻʽʹˈ´", "'"),  # the okina of Hawaii too
    **dict.fromkeys("‐‑−", "-"),
    "⁄": "/", "\r": "\n", "\t": " ", "\v": "\n", "\f": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n",
    **dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz", strict=True)),  # small capitals
    "ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st",
}  # fmt: skip
_SPEAKABLE_SIGNS: Final = frozenset("°№℃℉©®™℠♭♮")  # of the category of emoji
_ENGLISH_PLAIN: Final = {
    "№": "No.",
    "℃": "°C",
    "℉": "°F",
    "µ": "μ",
    "…": "...",
    "‑": "-",
    "－": "-",
    "٪": "%",
    "٫": ".",
}
# Letters and figures in dark circles and squares, which Unicode does not fold.
_DARK: Final = ((0x1F150, 0x1F169, "A"), (0x1F170, 0x1F189, "A"), (0x2776, 0x277E, "1"), (0x2780, 0x2788, "1"),
                (0x278A, 0x2792, "1"), (0x24F5, 0x24FD, "1"))  # fmt: skip
_ENCLOSED: Final = re.compile(r"[①-⒇⓪-⓿❶-➓㉑-㉟㊱-㊿](?=[①-⒇⓪-⓿❶-➓㉑-㉟㊱-㊿])")
_GROUPED: Final = re.compile(r"(?<![\w.,])\d{1,3}(?:[\u00a0\u2007\u2009\u202f]\d{3})++(?!\d)")
_GROUPS: Final = re.compile(r"[\u00a0\u2007\u2009\u202f]")
_MOST_MARKS: Final = 3  # on one letter; languages that write more are read without them as well
_CLUSTER: Final = re.compile(
    r"[^\u0300-\u036f\u0483-\u0489\u0591-\u07ff\u08d3-\u0e4e\u0eb1-\u10ff\u1160-\u11ff\u1ab0-\u1aff\u20d0-\u20ff\u3099\u309a]?"
    r"[\u0300-\u036f\u0483-\u0489\u0591-\u07ff\u08d3-\u0e4e\u0eb1-\u10ff\u1160-\u11ff\u1ab0-\u1aff\u20d0-\u20ff\u3099\u309a]{1,32}+"
)
_KEPT_COMPOSITES: Final = frozenset("ªº…²³¹") | frozenset(map(chr, (*range(0x2070, 0x20A0), *range(0x2150, 0x2190))))
_FOLDED: Final = re.compile(r"[ -~\u0370-\u03ff\u3400-\u9fff]+\Z")


def clean_characters(text: MappedText) -> MappedText:
    """Drop or replace what cannot be spoken in any language."""
    text = text.sub(
        _ENTITY, lambda found: html.unescape(found[0])
    )  # once: what unfolds to an entity again stays as it is
    text = text.sub(_GROUPED, lambda found: _GROUPS.sub("", found[0]))
    text = text.sub(_ENCLOSED, lambda found: f"{found[0]} ")  # ①② is one and two, not twelve
    text = text.map(_clean)
    text = text.map(_FewMarks())  # before composing, which takes the square of a run of marks
    if not unicodedata.is_normalized("NFC", text.text):
        text = text.sub(_CLUSTER, lambda found: unicodedata.normalize("NFC", found[0]))
        text = text.map(lambda char: unicodedata.normalize("NFC", char))
    return text


def plain_english_characters(text: MappedText) -> MappedText:
    """Full-width letters, foreign digits and composite signs to those of plain English text."""
    return text.map(_plain_english)


def plain_primes(text: MappedText) -> MappedText:
    """Primes to quotes, where no rule reads them as feet and inches."""
    return text.map(lambda char: {"″": '"', "′": "'"}.get(char, char))


class _FewMarks:
    """Passes characters on, but only the first few marks on each letter."""

    def __init__(self) -> None:
        self._run = 0

    def __call__(self, char: str) -> str:
        if char < "\u0300" or not unicodedata.combining(char):
            self._run = 0
            return char
        self._run += 1
        return char if self._run <= _MOST_MARKS else ""


def _folded(char: str) -> str | None:
    """A letter or digit in other dress (bold, circled, squared) as a plain one; None where it has none."""
    if char in _KEPT_COMPOSITES or char in _SPEAKABLE_SIGNS or "\uff00" <= char <= "\uffef":
        return None
    for first, last, letter in _DARK:
        if first <= ord(char) <= last:
            return chr(ord(letter) + ord(char) - first)
    plain = unicodedata.normalize("NFKC", char)
    return plain if plain != char and _FOLDED.match(plain) and any(map(str.isalnum, plain)) else None


def _clean(char: str) -> str:
    if " " <= char < "\x7f" or char == "\n":
        return char
    plain = _PLAIN.get(char)
    if plain is not None:
        return plain
    if "\u3371" <= char <= "\u33df":  # a unit in one character: ㎏, ㎡
        unit = unicodedata.normalize("NFKC", char)
        return unit[:-1] + {"2": "²", "3": "³"}.get(unit[-1], unit[-1])
    category = unicodedata.category(char)
    if category in ("So", "No", "Lu", "Ll", "Lm", "Lo", "Nd") and (folded := _folded(char)) is not None:
        return folded
    if category in ("Zs", "So") and char not in _SPEAKABLE_SIGNS:
        return " "
    if category[0] == "C" or category in ("Me", "Sk") or "\ufe00" <= char <= "\ufe0f" or char >= "\U000e0000":
        return ""
    return char


def _plain_english(char: str) -> str:
    if char < "\x80":
        return char
    plain = _ENGLISH_PLAIN.get(char)
    if plain is not None:
        return plain
    if "！" <= char <= "～":
        return chr(ord(char) - 0xFEE0)
    if "\u0300" <= char <= "\u036f":  # a mark that composes with no letter: strokes through, glitch text
        return ""
    return str(unicodedata.decimal(char)) if unicodedata.category(char) == "Nd" else char
