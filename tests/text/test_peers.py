"""Our reading held against tools we did not write: a Markdown parser, a dictionary front end, a recognizer."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hibari import Hibari
from markdown_it import MarkdownIt
from markdown_it.token import Token

import recognizer
from vivavoce.engines.embedded import EmbeddedEngine
from vivavoce.engines.speech import SpeechOptions
from vivavoce.text.normalize import normalize
from vivavoce.text.sentences import SentenceSplitter
from vivavoce.text.timing import estimate_words

CHAT_ANSWER = """\
# Making tea

Tea is *easy*. You need **three things**: water, leaves and [a pot](https://example.com/pots?kind=any_one).

1. Boil the water, e.g. in a `kettle`.
2. Warm the pot. Do not skip this!
3. Wait for five minutes.

> "Good tea takes time," my ~~aunt~~ uncle says.

- Green tea: less heat
- Black tea: more heat

```python
def brew(minutes: float) -> Tea:
    # never. say. this!
    return Tea(minutes * 60)
```

| Kind  | Minutes |
|-------|---------|
| Green | few     |
| Black | many    |

---

That is __all__. Enjoy!
"""


def visible_words(markdown: str) -> list[str]:
    """The words a Markdown parser shows, code blocks left out."""

    def text(tokens: list[Token]) -> str:
        return " ".join(
            text(token.children) if token.children else token.content if token.type in ("text", "code_inline") else ""
            for token in tokens
        )

    return re.findall(r"[a-z]+", text(MarkdownIt("js-default").parse(markdown)).lower())


def spoken_words(text: str) -> list[str]:
    """Words said, without the numbers of list items, which a parser does not show as text."""
    said = re.sub(r"\b(one|two|three), (?=[A-Z])", "", text).replace("for example", "e.g.")
    return re.findall(r"[a-z]+", said.lower())


@pytest.mark.parametrize("piece", [1, 5, 40, 10_000])
def test_a_streamed_markdown_answer_is_read_as_a_parser_shows_it(piece: int) -> None:
    splitter = SentenceSplitter()
    sentences = [s for at in range(0, len(CHAT_ANSWER), piece) for s in splitter.feed(CHAT_ANSWER[at : at + piece])]
    sentences += splitter.flush()
    spoken = [normalize(s.text).text for s in sentences if s.spoken]
    assert spoken_words("\n".join(spoken)) == visible_words(CHAT_ANSWER)
    assert "brew" not in " ".join(spoken)
    assert spoken[0] == "Making tea"
    assert "one, Boil the water, for example, in a kettle." in spoken


def test_the_whole_answer_at_once_reads_the_same() -> None:
    assert spoken_words(normalize(CHAT_ANSWER).text) == visible_words(CHAT_ANSWER)


@pytest.fixture(scope="module")
def voice() -> Hibari:
    return Hibari(threads=1)


@pytest.mark.parametrize(
    "written",
    [
        "It cost $3.50.",
        "She has 12 cats.",
        "It was in 1905.",
        "Born in 2010.",
        "The 1990s were fun.",
        "He owes £20 and 5%.",
        "There were 1,234 people.",
        "It is 3.14.",
        "The 21st day.",
        "1,000,000 users",
        "Mr. Lee and Dr. Hall",
        "Ms. Hall left at 5 p.m. on Monday.",
        "It is 9 a.m. now.",
        "the U.S.A. and the U.K.",
        "Tom & Jerry",
        "J. R. R. Tolkien",
    ],
)
def test_words_sound_as_a_front_end_reads_the_figures(voice: Hibari, written: str) -> None:
    """Stress marks and gaps aside: they tell a compound from two words, not one reading from another."""

    def sounds(text: str) -> str:
        return re.sub(r"[ˈˌ\s]", "", voice.g2p(text))

    assert sounds(normalize(written, "en").text) == sounds(written)


def test_estimated_times_are_near_those_a_recognizer_hears(voice: Hibari) -> None:
    written = "The quick brown fox jumps over the lazy dog, and then it sleeps under a big old tree near the river."
    samples = np.asarray(voice(written), dtype=np.float32)
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max()) / voice.sample_rate
    duration_s = len(samples) / voice.sample_rate
    heard = recognizer.word_times(samples, voice.sample_rate)
    estimated = estimate_words(
        normalize(written), duration_s, lead_s=float(loud[0]), tail_s=duration_s - float(loud[-1])
    )
    assert len(heard) == len(estimated)
    errors_s = [abs(word.start_s - start_s) for word, (_, start_s) in zip(estimated, heard, strict=True)]
    assert float(np.mean(errors_s)) < 0.25
    assert max(errors_s) < 0.6


@pytest.mark.parametrize(
    "written",
    [
        "Yesterday evening we walked along the harbour and watched the boats come home.",
        "If you open the second drawer, you will find three letters and a small key.",
        "Well, that was certainly not what I had expected from such a quiet child.",
    ],
)
def test_measured_times_are_nearer_to_them(written: str) -> None:
    engine = EmbeddedEngine()
    stream = engine.open(normalize(written), engine.load_voice(engine.voices()[0].id), SpeechOptions(seed=7))
    chunks = []
    while stream.stage != "done":
        chunks += [chunk for chunk in engine.step([stream], threads=1) if chunk is not None]
    samples = np.concatenate([chunk.samples for chunk in chunks])
    heard_s = np.asarray([start_s for _, start_s in recognizer.word_times(samples, engine.sample_rate)])
    measured = [word for chunk in chunks for word in chunk.words]
    estimated = estimate_words(normalize(written), len(samples) / engine.sample_rate)
    assert len(heard_s) == len(measured) == len(estimated)
    off_s, estimated_off_s = (
        float(np.mean(np.abs(heard_s - [word.start_s for word in words]))) for words in (measured, estimated)
    )
    assert off_s < 0.1
    assert off_s < estimated_off_s
