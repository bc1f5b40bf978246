"""English words with two sounds and one spelling, told apart by their neighbours.

The voices' training data distinguish only these four. A tagger for four words would cost a download and two seconds
at start; the words around them decide nearly as well. Pure; called by `english.py`.
"""

from __future__ import annotations

import re

_BE_HAVE = r"(have|has|had|having|be|been|being|is|are|am|was|were|.*'(ve|d|s|re|m))"
_DETERMINER = r"(an?|the|my|your|his|her|its|our|their|some|any|many|few|these|those|two|three|no)"
_SUBJECT = r"(he|she|it|this|that|which|who|everyone|nobody)"
_OBJECT = r"(an?|the|itself|himself|herself|themselves|us|me|him|them|you|it|our|your|his|her|their)"

_RULES = {  # word -> (what "before|after" looks like, its sounds then, its sounds else)
    "read": (
        rf"({_BE_HAVE}|already|never|he|she|it)\|.*",  # "has read", "she read"
        "R EH1 D",
        "R IY1 D",
    ),
    "lead": (
        r".*\|(pipes?|paint|poisoning|acid|batter(y|ies)|bullets?|free|lined)|(of|molten|toxic)\|.*",  # the metal
        "L EH1 D",
        "L IY1 D",
    ),
    "complex": (
        rf"{_DETERMINER}\|(is|was|has|had|and|of|with|where|that)"
        rf"|(?!({_BE_HAVE}|{_DETERMINER}|more|most|very|so|too|and|as)\|)\w+\|",
        "K AA1 M P L EH0 K S",  # "the complex was", "a housing complex"
        "K AH0 M P L EH1 K S",
    ),
    "presents": (
        rf"{_SUBJECT}\|.*|(?!{_DETERMINER}\|)\w*\|{_OBJECT}",  # "she presents", "Anna presents the"
        "P R IY0 Z EH1 N T S",
        "P R EH1 Z AH0 N T S",
    ),
}
_COMPILED = {word: (re.compile(context), then, other) for word, (context, then, other) in _RULES.items()}


def homograph(word: str, before: str, after: str) -> str | None:
    """ARPAbet sounds of one of the four words, None for any other word.

    Args:
        word: in lower case.
        before, after: the neighbouring words in lower case; "" at a pause or an end.
    """
    if word not in _COMPILED:
        return None
    context, then, other = _COMPILED[word]
    return then if context.fullmatch(f"{before}|{after}") else other
