"""Text that comes in pieces to sentences that can be spoken.

Pure and incremental: the sentences do not depend on how the text was cut into deltas, and joined they are the text
again, blank space and all. The splitter knows lengths, brackets, lines and code fences; what a single mark means is
asked of `vivavoce.text.boundaries`. The synthesizer feeds one splitter per utterance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from vivavoce.text import boundaries as rules
from vivavoce.text.language import is_wide

Ending = Literal["clause", "sentence", "paragraph"]

# A piece of less weight than this waits for its neighbour: a model given "Hi." alone tends to babble.
MIN_WEIGHT: Final = 4  # a Latin letter or digit weighs 1, a wide character (a syllable) 2
FIRST_WORDS, FIRST_WIDE = 3, 4  # a first clause this long is worth speaking before its sentence is whole
_LONGEST_URL: Final = 10  # times the cap: an address is read as one piece or not at all


@dataclass(frozen=True, slots=True)
class Sentence:
    """A unit given to an engine.

    Attributes:
        text: as written, with the blank space around it.
        start: place of its first code point in the utterance's text.
        index: 0, 1, 2 ... within the utterance.
        ending: how it ended: in mid-sentence, at a sentence's or line's end, or before a blank line.
        spoken: False for a block of code: shown, never said. A spoken sentence may still hold nothing that can be
            said, such as a row of asterisks.
    """

    text: str
    start: int
    index: int
    ending: Ending
    spoken: bool = True


@dataclass(frozen=True, slots=True)
class _Break:
    """A place where a sentence may be cut if it grows too long, and the state of the scan there."""

    length: int  # of the sentence if it is cut there
    cost: int
    quotes: tuple[str, ...]


@dataclass(slots=True)
class _Measure:
    """What the scan has seen of the sentence so far."""

    cost: int = 0  # towards the cap
    weight: int = 0  # towards MIN_WEIGHT; 0 means that nothing can be said
    words: int = 0  # Latin and other spaced words
    wide: int = 0  # Han, kana, Hangul characters
    clause: _Break | None = None
    space: _Break | None = None
    tight_space: _Break | None = None  # between "5" and "p.m.": only if there is no other


class SentenceSplitter:
    """Cuts a growing text into sentences.

    Args:
        first_fragment: let the first piece be a first clause, so that sound starts early.
        max_latin: code points of Latin text after which a sentence is cut at the best comma or space.
        max_wide: the same for Chinese, Japanese and Korean.
    """

    def __init__(self, *, first_fragment: bool = True, max_latin: int = 200, max_wide: int = 60) -> None:
        self._hurry = first_fragment
        self._latin_cost, self._wide_cost, self._cap = max_wide, max_latin, max_latin * max_wide
        self._text = ""  # not given out yet
        self._start = 0  # place of _text[0] in the utterance
        self._begin = 0  # where in _text the current sentence begins
        self._at = 0  # the next character of _text to look at
        self._index = 0
        self._quotes: tuple[str, ...] = ()  # closing marks owed, innermost last
        self._line_is_blank = True
        self._fence: str | None = None  # the marks that close the code block we are in
        self._in_fence_line = False  # the line that opens it has not come to its end yet
        self._seen = _Measure()

    def feed(self, delta: str) -> list[Sentence]:
        """More text of any length; returns the sentences that are whole now."""
        self._text += delta
        return self._advance(final=False)

    def flush(self) -> list[Sentence]:
        """Everything that is left; more text may come after it."""
        return self._advance(final=True)

    def _advance(self, final: bool) -> list[Sentence]:
        done: list[Sentence] = []
        while self._at < len(self._text):
            progress = self._code(final, done) if self._fence else self._step(final, done)
            if not progress:
                break
        if final and self._begin < len(self._text):
            self._give(len(self._text), "sentence", done, spoken=self._fence is None)
        self._text = self._text[self._begin :]
        self._at -= self._begin
        self._begin = 0
        return done

    # -- one character

    def _step(self, final: bool, done: list[Sentence]) -> bool:
        """Look at one character; False when its meaning hangs on text to come."""
        text, at = self._text, self._at
        char = text[at]
        if char in "`~" and self._line_is_blank:
            length = rules.fence(text, at, final)
            if length == "wait":
                return False
            if length:
                self._open_fence(char * length, done)
                return True
        ending = self._ending(char, final)
        if ending == "wait":
            return False
        if ending is not None:
            cut, kind = ending
            if cut < at:  # the marker of the next list item was read already
                self._cut_back(_Break(cut - self._begin, 0, self._quotes), kind, done)
                return True
            while self._at < cut:
                self._count(text[self._at])
            self._give(cut, kind, done)
            return True
        self._count(char)
        self._mind_the_cap(char, done)
        return True

    def _ending(self, char: str, final: bool) -> tuple[int, Ending] | Literal["wait"] | None:
        """Where and how the sentence ends at this character, if it does."""
        text, at = self._text, self._at
        verdict: rules.Verdict = "no"
        kind: Ending = "sentence"
        if char in rules.NEWLINES:
            if not self._seen.weight:
                return None
            verdict, blank = rules.newline(text, at, final)
            kind = "paragraph" if blank else "sentence"
        elif char in rules.WIDE_MARKS:
            verdict = rules.wide_mark(text, at, self._quotes, final)
        elif char in rules.LATIN_MARKS:
            if at == self._begin or text[at - 1] not in rules.LATIN_MARKS:
                verdict = rules.latin_mark(text, self._begin, at, final)
        elif self._wants_clause(char):
            verdict, kind = rules.comma(text, at, final), "clause"
        if verdict == "wait":
            return "wait"
        if verdict == "no" or (self._seen.weight < MIN_WEIGHT and kind != "paragraph"):
            return None
        return verdict, kind

    def _wants_clause(self, char: str) -> bool:
        """True at a comma where a first clause of enough words has come, outside of quotes and brackets."""
        if not self._hurry or self._quotes or not (char in rules.LATIN_COMMAS or char in rules.WIDE_COMMAS):
            return False
        return FIRST_WIDE * self._seen.words + FIRST_WORDS * self._seen.wide >= FIRST_WORDS * FIRST_WIDE

    def _count(self, char: str) -> None:
        """Take the character into the sentence."""
        text, at, seen = self._text, self._at, self._seen
        wide = is_wide(char)
        self._note_break(char)
        seen.cost += self._wide_cost if wide else self._latin_cost
        if wide:
            seen.weight, seen.wide = seen.weight + 2, seen.wide + 1
        elif char.isalnum():
            seen.weight += 1
            seen.words += at == self._begin or not text[at - 1].isalnum() or is_wide(text[at - 1])
        elif char in rules.NEWLINES:
            self._quotes, self._line_is_blank = (), True
        elif self._quotes and char == self._quotes[-1]:
            self._quotes = self._quotes[:-1]
        elif char in rules.PAIRS:
            self._quotes = (*self._quotes[-7:], rules.PAIRS[char])
        if not char.isspace():
            self._line_is_blank = False
        self._at = at + 1

    # -- too long

    def _note_break(self, char: str) -> None:
        """Remember the best places to cut, seen from the first character after them."""
        text, at, seen = self._text, self._at, self._seen
        if not seen.weight or char.isspace() or char in rules.CLOSERS:
            return
        before = text[at - 1]
        here = _Break(at - self._begin, seen.cost, self._quotes)
        if before in rules.WIDE_COMMAS or before == "…":
            seen.clause = here
        elif before.isspace():
            mark = text[at - 2 : at - 1] if at - 1 > self._begin else ""
            if mark and mark in ",;:—":
                seen.clause = here
            elif mark.isdigit() or char.isdigit() or rules.ends_with_title(text, self._begin, at - 1):
                seen.tight_space = here
            else:
                seen.space = here

    def _mind_the_cap(self, char: str, done: list[Sentence]) -> None:
        """Cut at the best place behind us once the sentence is too long."""
        seen = self._seen
        if seen.cost <= self._cap or (not char.isalnum() and 2 * seen.cost <= 3 * self._cap):
            return
        if seen.clause is not None and 3 * seen.clause.cost >= self._cap:
            best: _Break | None = seen.clause
        else:
            best = seen.space or seen.clause or seen.tight_space
        if best is None:
            if seen.cost <= _LONGEST_URL * self._cap and self._text.startswith(("http", "www."), self._begin):
                return
            best = _Break(self._at - 1 - self._begin, 0, self._quotes)
        self._cut_back(best, "clause", done)

    def _cut_back(self, place: _Break, kind: Ending, done: list[Sentence]) -> None:
        """Cut behind the scan, which goes on from there."""
        self._at, self._quotes, self._line_is_blank = self._begin + place.length, place.quotes, False
        self._give(self._at, kind, done)

    # -- code

    def _open_fence(self, marks: str, done: list[Sentence]) -> None:
        """A block of code begins: what stands before it is a sentence of its own."""
        if self._seen.weight:
            self._give(self._at, "paragraph", done)
        self._fence, self._in_fence_line, self._quotes = marks, True, ()

    def _code(self, final: bool, done: list[Sentence]) -> bool:
        """Take one line of a block of code, the first of which is its opening; its closing line ends the block."""
        assert self._fence is not None
        line_end = self._text.find("\n", self._at)
        if line_end < 0 and not final:
            return False
        stop = len(self._text) if line_end < 0 else line_end + 1
        line = self._text[self._at : stop].strip()
        self._at = stop
        if self._in_fence_line:
            self._in_fence_line = False
            return True
        if len(line) >= len(self._fence) and not line.strip(self._fence[0]):
            self._give(stop, "paragraph", done, spoken=False)
            self._fence, self._line_is_blank = None, True
        return True

    def _give(self, end: int, ending: Ending, done: list[Sentence], *, spoken: bool = True) -> None:
        """Give out the text up to `end` and start the next sentence there."""
        start = self._start
        done.append(Sentence(self._text[self._begin : end], start, self._index, ending, spoken))
        self._hurry = self._hurry and not (spoken and self._seen.weight)
        self._start += end - self._begin
        self._begin = end
        self._index += 1
        self._seen = _Measure()
