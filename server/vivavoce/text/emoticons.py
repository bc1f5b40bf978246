"""Faces made of marks and letters: seen, never said. A heart between two words is "love".

Called by `normalize` before markup, whose rules would take some of them for tags and emphasis.
"""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.mapped import MappedText

_FACE: Final = re.compile(
    r"(?<![^\s(*>])(?:[:;]['’]?[-^o]?(?:[)(\]\[DPpOoSs*|/\\]|\)\)+|\(\(+|D+)|=[-]?[)(]|[xX]D+|D:|\([:;]|<\\?/3|\^[_.]*\^|"
    r"-[_.]+-|>[_.]+<|[TQ][_.][TQ]|[oO][_.][oO]|[uU][wW][uU]|\\o/|¯\\?_\(ツ\)_/¯|\(╯°□°\)╯︵ ┻━┻)(?=[\s.,!?)]|\Z)"
)
_HEART: Final = re.compile(r"(?<!\S)(?:(?:<3+){1,9}|[❤♥💕💖💗💙💚💛💜🖤🧡]\ufe0f?)(?=[\s.,!?)]|\Z)")
_LOVED: Final = re.compile(r" (?:you|u|it|this|that|these|those|her|him|them|my|your|our|the|all|to)\b")
_ANYTHING: Final = re.compile(r" [A-Za-z]")
_SOMEBODY: Final = re.compile(r"(?<![A-Za-z])(?:[Ii]|[Ww]e|[Yy]ou|[Tt]hey) \Z")
_LOVER: Final = re.compile(r"\b(?:[Ii]|[Ww]e|[Yy]ou|[Tt]hey|[A-Za-z]{2,})[ ]\Z")
_COMPARED: Final = re.compile(
    r"(?:\b(?:if|while|when|where|until|for|with|that|is|are|be)\b[^.!?]{0,24}|(?<![\w'’])[a-hj-zA-HJ-Z][ ])\Z"
)


def silence_emoticons(text: MappedText) -> MappedText:
    """Take out faces and hearts."""
    if not any(
        mark in text.text
        for mark in (
            "❤",
            "♥",
            "💕",
            "💖",
            "💗",
            "💙",
            "💚",
            "💛",
            "💜",
            "🖤",
            "🧡",
            ":",
            ";",
            "=",
            "<",
            ">",
            "^",
            "_",
            "XD",
            "xD",
            "w",
            "W",
            "D",
        )
    ):
        return text
    text = text.sub(_FACE, "")
    text = text.sub(_HEART, _heart)
    return text


def _heart(found: re.Match[str]) -> str | None:
    before = found.string[max(0, found.start() - 32) : found.start()]
    if _COMPARED.search(before) and found[0].count("<") < 2:
        return None
    loved = (_ANYTHING if _SOMEBODY.search(before) else _LOVED).match(found.string[found.end() : found.end() + 12])
    return "love" if loved and _LOVER.search(before) else ""
