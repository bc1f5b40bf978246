"""Chords as musicians say them: "F#m7" is F sharp minor seven, "G/B" is G over B.

A sign of a chord that can be nothing else is read anywhere; "G/B", "Em" and "A7" only among other chords or where the
text speaks of music, since "Am", "A/B" and "E7" are something else in other places.
"""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.context import after, before
from vivavoce.text.english.numerals import cardinal
from vivavoce.text.english.rule import Rule, rule

_ACCIDENTALS: Final = {"#": " sharp", "♯": " sharp", "b": " flat", "♭": " flat", None: ""}
_KINDS: Final = {"maj": "major", "Maj": "major", "M": "major", "Δ": "major", "min": "minor", "m": "minor",
                 "dim": "diminished", "°": "diminished", "ø": "half diminished", "aug": "augmented",
                 "sus": "sus", "add": "add", "mmaj": "minor major", "mMaj": "minor major", "mM": "minor major",
                 "madd": "minor add", "minmaj": "minor major"}  # fmt: skip
_NAME: Final = (r"(?P<root>[A-G])(?P<sign>[#♯♭]|b(?![a-z]{2})|b(?=maj|min|dim|sus|aug|add|m(?![a-z])))?"
                r"(?P<kind>minmaj|maj|Maj|min|mmaj|mMaj|mM|madd|m(?![a-z])|M(?=7|9)|dim|aug|sus|add)?"
                r"(?P<degree>13|11|[245679])?(?P<more>(?:sus[24]|add(?:9|11|13|[246])|[(]?[b#♭♯](?:5|9|11|13)[)]?){0,3})"
                r"(?:/(?P<bass>[A-G])(?P<bass_sign>[#♯b♭])?)?")  # fmt: skip
_MUSIC: Final = re.compile(r"(?i)\b(?:chords?|play(?:s|ed|ing)?|strum\w*|capo|progressions?|riffs?|guitars?|"
                           r"pianos?|ukuleles?|bass|"
                           r"frets?|chorus|verses?|intro|arpeggio\w*|keys? of|barre|triads?|inversions?|voicings?|"
                           r"melody|harmon\w+|scales?|song|tuning)\b")  # fmt: skip
_NOT_MUSIC: Final = re.compile(r"(?i)\b(?:tests?|testing|group|grade|vitamin|play(?:s|ed|ing)? (?:the )?part)\b")
# A neighbour that is a chord itself.
_CHORD: Final = r"[A-G][#b♯♭]?(?:m|maj|min|dim|aug|sus|add)?(?:13|11|[245679])?(?:/[A-G][#b]?)?"
_CHORD_BEFORE: Final = re.compile(rf"(?<![\w/]){_CHORD}[ ]?(?:,|[|–→-]|->)?[ ]?\Z")
_NAMED_BEFORE: Final = re.compile(r"(?i)\b(?:play|strum|chords?:?|of|an?|the|to|from|then|and|is|in|on|with) \Z")
_CHORD_BEHIND: Final = re.compile(rf"(?:[ ]?(?:,|[|–→-]|->)[ ]?|[ ]){_CHORD}(?![\w/'’])")


def _chord(found: re.Match[str]) -> str | None:
    kind, degree, bass = found["kind"], found["degree"], found["bass"]
    written = found[0]
    if len(written) == 1 or written in ("Bb", "Ab", "Eb", "Db", "Gb", "Cb", "Fb"):
        return None
    front, behind = before(found), after(found)
    told = found["sign"] in ("#", "♯") or (kind and (degree or found["more"])) or kind in ("dim", "aug", "maj", "sus")
    told = told or (found["sign"] and kind)
    if kind in ("m", "M", None) and found["sign"] is None and kind != "m" and not found["more"]:
        told = found["bass_sign"] in ("#", "♯")  # A7, G/B
    if kind in ("add", "aug", "dim", "maj", "min") and not (degree or found["more"] or found["sign"] or bass):
        told = False  # Add, Aug, Dim and other words
    if kind == "m" and degree and found["sign"] is None and written[0] in "CDMF" and re.match(r"[²³]", behind):
        told = False
    if not told:
        near = f"{front} {behind}"
        is_music = _MUSIC.search(near) is not None and _NOT_MUSIC.search(near) is None
        in_row = _CHORD_BEFORE.search(front) is not None or _CHORD_BEHIND.match(behind) is not None
        named = _NAMED_BEFORE.search(front) is not None or behind.startswith((" chord", " to "))
        needed = is_music and (in_row or (bool(bass or kind) and named and not behind.startswith(" I ")))
        if not needed or (bass and not (degree or kind or found["sign"]) and _NOT_MUSIC.search(near)):
            return None
    words = found["root"] + _ACCIDENTALS[found["sign"]]
    if kind:
        words += f" {_KINDS[kind]}"
    if degree:
        words += f" {cardinal(int(degree))}"
    for part in re.finditer(r"(sus|add|[b#♭♯])(\d{1,2})", found["more"]):
        words += f"{_ACCIDENTALS.get(part[1], ' ' + part[1])} {cardinal(int(part[2]))}"
    if bass:
        words += f" over {bass}{_ACCIDENTALS[found['bass_sign']]}"
    return words


CHORDS: Final[tuple[Rule, ...]] = (rule(rf"(?<![\w/#&+.@-]){_NAME}(?![\w/#♯'’]|-\w|\.\w)", _chord),)
