"""Chess as it is written down: "Nf3", "Qxd7+", "O-O". Only where another move stands nearby, or a mark tells."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.context import after, before
from vivavoce.text.english.numerals import cardinal
from vivavoce.text.english.rule import Rule, rule

_PIECES: Final = {"K": "king", "Q": "queen", "R": "rook", "B": "bishop", "N": "knight"}
_MOVE: Final = (r"(?:(?P<piece>[KQRBN])(?P<from>[a-h]?[1-8]?)(?P<takes>x?)(?P<to>[a-h][1-8])|"
                r"(?P<pawn>[a-h])x(?P<square>[a-h][1-8]))(?:=(?P<queen>[QRBN]))?(?P<mark>[+#]?)[!?]{0,2}")  # fmt: skip
_NEAR: Final = re.compile(
    r"(?<![\w-])(?:[KQRBN][a-h]?[1-8]?x?[a-h][1-8]|[a-h]x?[a-h]?[1-8]|O-O(?:-O)?)[+#!?]{0,2}(?![\w-])"
)


def _move(found: re.Match[str]) -> str | None:
    told = found["takes"] or found["pawn"] or found["mark"] or found["queen"]
    if not told and not _NEAR.search(f"{before(found, 24)} {after(found, 24)}"):
        return None
    words = [_PIECES[found["piece"]], *_square(found["from"])] if found["piece"] else [found["pawn"]]
    if found["takes"] or found["pawn"]:
        words.append("takes")
    words += _square(found["to"] or found["square"])
    if found["queen"]:
        words.append(_PIECES[found["queen"]])
    return " ".join(words) + {"+": " check", "#": " mate"}.get(found["mark"], "")


def _square(written: str) -> list[str]:
    return [cardinal(int(char)) if char.isdecimal() else char for char in written]


def _castled(found: re.Match[str]) -> str:
    return "castles queenside" if len(found[0]) > 3 else "castles"


CHESS: Final[tuple[Rule, ...]] = (
    rule(rf"(?<![\w-]){_MOVE}(?![\w-])", _move),
    rule(r"(?<![\w-])O-O(?:-O)?(?![\w-])", _castled),
)  # fmt: skip
