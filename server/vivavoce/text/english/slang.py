"""Words as people type them to each other: figures that stand for sounds (gr8, b4), letters drawn out (soooo).

A voice would spell both. Comes before every other rule, since the figures are no numbers; whatever is part of an
address, a file name or a tag is left alone.
"""

# ruff: noqa: SIM905  # words in one string read better than a column of quoted ones
from __future__ import annotations

import re
from itertools import product
from typing import Final

from vivavoce.text.english.context import before
from vivavoce.text.english.rule import Rule, rule

_SPELLED: Final = {
    "gr8": "great", "gr8er": "greater", "gr8est": "greatest", "gr8ful": "grateful", "l8r": "later", "l8": "late",
    "l8er": "later", "w8": "wait", "w8ing": "waiting", "w8ed": "waited", "h8": "hate", "h8er": "hater",
    "h8ers": "haters", "h8s": "hates", "str8": "straight", "sk8": "skate", "sk8er": "skater", "sk8ing": "skating",
    "sk8board": "skateboard", "cre8": "create", "cre8ive": "creative", "rel8": "relate", "apprec8": "appreciate",
    "deb8": "debate", "upd8": "update", "2day": "today", "2nite": "tonight", "2night": "tonight",
    "2moro": "tomorrow", "2morrow": "tomorrow", "2mrw": "tomorrow", "2gether": "together", "4ever": "forever",
    "4eva": "forever", "4get": "forget", "4got": "forgot", "4give": "forgive", "any1": "anyone",
    "every1": "everyone", "some1": "someone", "n00b": "noob", "n00bs": "noobs", "w00t": "woot", "l33t": "leet",
    "1337sp34k": "leetspeak", "l33tspeak": "leetspeak", "h4x0r": "hacker", "h4x": "hacks", "pr0": "pro",
    "m8": "mate", "m8s": "mates", "b4": "before", "thx": "thanks", "thnx": "thanks", "pls": "please",
    "plz": "please", "ppl": "people", "tmrw": "tomorrow", "tmr": "tomorrow", "b4hand": "beforehand",
}  # fmt: skip
# Screws (M8), sheets and vitamins (B4) and a sound system (THX) have a capital; a square of chess stands behind these.
_ONLY_SMALL: Final = frozenset(["m8", "m8s", "thx", "l8", "h8", "w8", "tmr"])
_SQUARE: Final = re.compile(
    r"(?i)(?:\b(?:to|on|from|at|pawn|rook|square|cell|column|row|and|or)|\b[a-h][1-8]|[.\d]) \Z"
)

# Words with two of the letter where the rest of them has one: they stay two when drawn out.
_DOUBLED: Final = frozenset(
    "good goodbye food cool soon noon moon zoom boom room boo woo moo too fool school loop poor shoot boot root hoot "
    "loot woohoo oops whoops whoop look book took cook hook shook wood stood foot goose loose choose proof smooth "
    "spooky tooth see free wee wheel week need sleep sleepy sweet sweetie keep feel feels feeling meet deep been seen "
    "three tree trees feet beer cheers cheer geez jeez sheesh squee whee yippee coffee indeed green queen speed screen "
    "street steep sheep cheese breeze freeze freezing agree gee bee knee knees eek peek seek week weekend creep creepy "
    "creeps freak fee fees teen all well hell hello hall kill tell will call ball bell fell still really finally "
    "actually totally chill small ill full pull smell yell fill hill till doll roll tall wall fall silly kill killer "
    "killing killed yellow follow pillow awfully beautifully hopefully literally seriously dull skull bull less boss "
    "miss kiss pass class mess guess bless stress gross hiss loss dress cross grass glass success princess goddess "
    "missing kissing better pretty butter matter little letter settle battle bottle kitty bitter off stuff fluff puff "
    "pff huff coffee sniff bluff yummy mommy mummy tummy summer dummy hammer sorry hurry worry merry carry furry "
    "berry cherry marry happy puppy happen stupid puppies yuppie apple supper daddy buddy add odd middle paddle "
    "kneel steel peel heel reel steer sheer eerie "
    "funny running sunny nanny bunny winner dinner runner cunning beginning bigger buggy egg digging buzz jazz fizz "
    "pizza dizzy puzzle crazzy".split()
)
_SOUNDS: Final = {"a": "aah", "o": "ooh", "e": "ee", "u": "ooh"}  # of which the word is nothing else
_INTERJECTIONS: Final = {"oh": "ooh", "ohh": "ooh", "ooh": "ooh", "oooh": "ooh", "ah": "aah", "aah": "aah", "ew": "eww",
                         "aw": "aww", "eh": "eh", "uh": "uh", "ugh": "ugh", "argh": "argh", "aargh": "argh",
                         "sh": "shh", "hm": "hmm", "m": "mmm", "br": "brr", "gr": "grr", "pf": "pff", "ps": "psst",
                         "z": "zzz", "tsk": "tsk"}  # fmt: skip
_RUNS: Final = re.compile(r"(?i)([a-z])\1*")
_MOST_FORMS: Final = 3  # runs of which both lengths are tried; further ones become one letter
_LONGEST: Final = 24  # letters of a word after its runs have been shortened
_ROMAN: Final = re.compile(r"[IVXLCDM]+\Z")
_PLACEHOLDER: Final = re.compile(r"(?:[YMDHS]+|y+(?:mm(?:dd)?)?|(?i:x+|w+|z+))\Z")  # YYYYMMDD, www, zzz
_AS_WRITTEN: Final = frozenset(["xxxl", "mmm", "hmmm", "shhh", "brrr", "grrr", "pfff", "aaa", "eee", "iii", "ooo"])

_FREE: Final = r"(?<![\w@./\\#&'’-])"
_ENDS: Final = r"(?![\w@]|[./\\:-]\w|\()"


def _slang(found: re.Match[str]) -> str | None:
    written = found[0]
    key = written.lower()
    small = written.islower()
    if not small and (key in _ONLY_SMALL or not written[0].isupper()):
        return None
    if key == "b4" and (_SQUARE.search(before(found, 12)) or not (small or _PERSON.match(found.string, found.end()))):
        return None
    words = _SPELLED[key]
    return words if small else words.capitalize()


_PERSON: Final = re.compile(r" (?:you|i|I|we|he|she|it|they|the|u|my|your|that|this)\b")


def shortened(word: str) -> str:
    """A drawn-out word in its usual spelling: "sooooo" is "so", "gooood" is "good", "yesss" is "yes"."""
    runs = [(found[0][0], len(found[0])) for found in _RUNS.finditer(word)]
    long = [at for at, (_, length) in enumerate(runs) if length > 2]
    if len(runs) == 1:
        return _SOUNDS.get(word[0].lower(), word)
    drawn = set(long)
    least = "".join(char if at in drawn else char * length for at, (char, length) in enumerate(runs))
    if (sound := _INTERJECTIONS.get(least.lower())) is not None:
        return _cased(sound, word)
    for lengths in product((2, 1), repeat=min(len(long), _MOST_FORMS)):
        chosen = dict(zip(long, lengths, strict=False))
        form = "".join(char * chosen.get(at, 1 if at in drawn else length) for at, (char, length) in enumerate(runs))
        if form.lower() in _DOUBLED:
            return form
    return least


def _cased(sound: str, like: str) -> str:
    if like.isupper():
        return sound.upper()
    return sound.capitalize() if like[0].isupper() else sound


def _drawn_out(found: re.Match[str]) -> str | None:
    word = found[0]
    small = word.lower()
    is_name = not (word.islower() or word.isupper() or word[1:].islower())  # ChatTTS
    if is_name or (word.isupper() and _ROMAN.match(word)) or _PLACEHOLDER.match(word) or small in _AS_WRITTEN:
        return None
    runs = [found[0] for found in _RUNS.finditer(small) if len(found[0]) > 2]
    if len(runs) == 1 and len(runs[0]) == 3:  # no more: of capitals an acronym (IEEE), inside of a word a name
        is_vowel = runs[0][0] in ("aou" if word.isupper() else "aeiouy")
        at_end = small.endswith(runs[0]) and not word.isupper()
        if runs[0] == small or not (is_vowel or at_end or shortened(word).lower() in _DOUBLED):
            return None
    short = shortened(word)
    return short if len(short) <= _LONGEST else None


SLANG: Final[tuple[Rule, ...]] = (
    rule(rf"(?i){_FREE}(?:{'|'.join(sorted(_SPELLED, key=len, reverse=True))}){_ENDS}", _slang),
    rule(rf"(?i){_FREE}(?=[a-z]++{_ENDS})[a-z]*?([a-z])\1\1[a-z]*+", _drawn_out),
)
