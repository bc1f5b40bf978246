"""What was heard of a whole recording, and the phrases it is shown in: pure.

A recognizer hears stretches of up to half a minute; a reader wants a sentence or two at a time, with true times. Where
the words have times, a stretch is cut into phrases behind sentences, pauses and clauses.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from vivavoce.engines.recognizer import Heard, HeardToken, HeardWord, Task
from vivavoce.recognition.listener import HeardSegment
from vivavoce.text.language import is_unspaced, is_wide

MOST_S = 7.0  # a phrase: what subtitles leave on the screen at most
MOST_COLUMNS = 84  # two lines of subtitles; a Han character takes two columns
_LEAST_COLUMNS = 12  # shorter sentences are shown with the next one
_PAUSE_S = 0.6
_SENTENCE_ENDS = tuple(".?!…。？！｡।؟")
_CLAUSE_ENDS = tuple(",;:，、；：،")
_BEHIND_MARKS = "\"'”’)]}»」』）"


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of a transcript, seconds from the beginning of the recording.

    Attributes:
        text: without blanks around it.
        words: with times, where they were asked for.
        tokens: that wrote it.
        window_s: where the stretch begins that it was heard in.
        heard: that stretch.
    """

    start_s: float
    end_s: float
    text: str
    words: tuple[HeardWord, ...]
    tokens: tuple[HeardToken, ...]
    window_s: float
    heard: Heard

    @property
    def avg_logprob(self) -> float:
        """Mean over its tokens; the stretch's own where it has none."""
        if not self.tokens:
            return self.heard.avg_logprob
        return sum(token.logprob for token in self.tokens) / len(self.tokens)

    @property
    def compression_ratio(self) -> float:
        """Bytes of the text over its compressed bytes."""
        data = self.text.encode()
        return len(data) / len(zlib.compress(data)) if data else 0.0


@dataclass(frozen=True, slots=True)
class Transcript:
    """The words of a whole recording, by segments.

    Attributes:
        task: what was made of it.
        duration_s: of the recording.
        segments: what was heard, in order; those without words are left out.
        language: ISO 639-1 code of the text, where it is not the one that was spoken.
    """

    task: Task
    duration_s: float
    segments: tuple[HeardSegment, ...]
    language: str | None = None

    @classmethod
    def of(
        cls, task: Task, duration_s: float, segments: Iterable[HeardSegment], language: str | None = None
    ) -> Transcript:
        """From what a listener gives."""
        return cls(task, duration_s, tuple(each for each in segments if each.heard.text), language)

    @property
    def text(self) -> str:
        """The words of all segments."""
        return joined(each.heard.text for each in self.segments)

    @property
    def tokens(self) -> list[HeardToken]:
        """The tokens of all segments."""
        return [token for each in self.segments for token in each.heard.tokens]

    @property
    def spoken_language(self) -> str:
        """ISO 639-1 code of the language most of it was spoken in; English where nothing was said."""
        seconds: Counter[str] = Counter()
        for each in self.segments:
            seconds[each.heard.language] += round(1000 * each.heard.duration_s)
        return max(seconds, key=lambda code: seconds[code], default="en")

    def phrases(self) -> list[Phrase]:
        """In order; times neither overlap nor go beyond the recording."""
        found: list[Phrase] = []
        for each in self.segments:
            found.extend(_phrases(each))
        return list(_in_order(found, self.duration_s))

    def words(self) -> list[HeardWord]:
        """With times from the beginning of the recording."""
        return [word for phrase in self.phrases() for word in phrase.words]


def joined(texts: Iterable[str]) -> str:
    """Texts one behind the other, with a blank between them where their scripts want one."""
    whole = ""
    for text in texts:
        text = text.strip()
        if whole and text:
            together = is_unspaced_mark(whole[-1]) and is_unspaced_mark(text[0])
            whole += text if together else " " + text
        else:
            whole += text
    return whole


def is_unspaced_mark(char: str) -> bool:
    """Han, kana, and the marks that go with them."""
    return is_unspaced(char) or "\u3000" <= char <= "\u303f" or "\uff01" <= char <= "\uff65"


def _phrases(segment: HeardSegment) -> Iterator[Phrase]:
    heard = segment.heard
    if not heard.words:
        yield Phrase(segment.start_s, segment.end_s, heard.text, (), heard.tokens, segment.start_s, heard)
        return
    for words in _cut(heard.words):
        text = "".join(word.text for word in words).strip()
        if not text:
            continue
        placed = tuple(
            replace(word, start_s=segment.start_s + word.start_s, end_s=segment.start_s + word.end_s) for word in words
        )
        tokens = heard.tokens[words[0].first_token : words[-1].last_token]
        yield Phrase(placed[0].start_s, placed[-1].end_s, text, placed, tokens, segment.start_s, heard)


def _cut(words: Sequence[HeardWord]) -> Iterator[Sequence[HeardWord]]:
    """Stretches that can be read at a glance."""
    start = 0
    for here in range(len(words)):
        if _too_much(words[start : here + 1]) and here > start:
            cut = _best_cut(words, start, here)
            yield words[start:cut]
            start = cut
        last = here + 1 == len(words)
        if not last and _may_end(words, start, here):
            yield words[start : here + 1]
            start = here + 1
    if start < len(words):
        yield words[start:]


def _too_much(words: Sequence[HeardWord]) -> bool:
    return words[-1].end_s - words[0].start_s > MOST_S or _columns(words) > MOST_COLUMNS


def _may_end(words: Sequence[HeardWord], start: int, here: int) -> bool:
    """Behind a sentence that is long enough to stand alone, or before a pause."""
    if words[here + 1].start_s - words[here].end_s >= _PAUSE_S:
        return True
    ends = _mark(words[here]).endswith(_SENTENCE_ENDS)
    return ends and _columns(words[start : here + 1]) >= _LEAST_COLUMNS


def _best_cut(words: Sequence[HeardWord], start: int, here: int) -> int:
    """Behind the last clause of the later half, else right here."""
    for cut in range(here, start + (here - start) // 2, -1):
        if _mark(words[cut - 1]).endswith(_SENTENCE_ENDS + _CLAUSE_ENDS):
            return cut
    return here


def _mark(word: HeardWord) -> str:
    return word.text.rstrip().rstrip(_BEHIND_MARKS)


def _columns(words: Sequence[HeardWord]) -> int:
    return sum(2 if is_wide(char) else 1 for word in words for char in word.text)


def _in_order(phrases: Sequence[Phrase], duration_s: float) -> Iterator[Phrase]:
    """A segment begins a little before its speech, so it may reach into the silence behind the one before."""
    before_s = 0.0
    for phrase in phrases:
        start_s = min(max(phrase.start_s, before_s), duration_s)
        end_s = min(max(phrase.end_s, start_s), duration_s)
        yield replace(phrase, start_s=start_s, end_s=end_s)
        before_s = end_s
