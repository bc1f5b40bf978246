"""What an engine is given at once is bounded, what a voice cannot say costs only itself: whole texts and live ones."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from fake_engine import FakeEngine
from vivavoce.errors import SpokenTextTooLong, UnspeakableText
from vivavoce.synthesis.speaker import SpeechRequest, SpokenChunk
from vivavoce.synthesis.synthesizer import Synthesizer
from vivavoce.text.pieces import LONGEST

Make = Callable[..., Synthesizer]
GROWING = "www." + "7-" * 120


async def chunks_of(synthesizer: Synthesizer, text: str, *, live: bool) -> list[SpokenChunk]:
    async with synthesizer.stream(SpeechRequest(text=None if live else text)) as utterance:
        if live:
            for at in range(0, len(text), 7):
                utterance.write(text[at : at + 7])
            utterance.end()
        return [chunk async for chunk in utterance]


@pytest.mark.parametrize("live", [False, True])
async def test_a_sentence_that_grows_is_given_to_the_engine_in_pieces(make_synthesizer: Make, live: bool) -> None:
    engine = FakeEngine()
    chunks = await chunks_of(make_synthesizer(engine), GROWING, live=live)
    said = [stream.sentence.text for stream in engine.streams]
    assert len(said) > 3
    assert max(map(len, said)) <= LONGEST
    assert [chunk.begins_sentence for chunk in chunks].count(True) == 1
    assert [chunk.ends_sentence for chunk in chunks].count(True) == 1
    assert chunks[0].begins_sentence
    assert chunks[-1].ends_sentence
    assert {chunk.sentence.text for chunk in chunks} == {GROWING}
    starts = [(chunk.start_s, chunk.start_s + chunk.audio.duration_s) for chunk in chunks]
    assert all(end_s == pytest.approx(start_s) for (_, end_s), (start_s, _) in pairwise(starts)), "a gap inside it"
    words = [word for chunk in chunks for word in chunk.audio.words]
    assert all(before.start_s <= after.start_s for before, after in pairwise(words))
    assert all(0 <= word.source_start < word.source_end <= len(GROWING) for word in words)


async def test_a_foreign_sentence_does_not_end_a_live_utterance(make_synthesizer: Make) -> None:
    text = "This is the first.\n今天天气很好。\nAnd this is the last one."
    synthesizer = make_synthesizer(FakeEngine())
    async with synthesizer.stream(SpeechRequest()) as utterance:
        utterance.write(text)
        utterance.end()
        said = [chunk.sentence.text.strip() async for chunk in utterance if chunk.begins_sentence]
        assert said == ["This is the first.", "And this is the last one."]
        assert [(part.text, part.start) for part in utterance.unspoken] == [("今天天气很好。", text.index("今"))]


async def test_a_live_text_of_another_language_alone_is_refused(make_synthesizer: Make) -> None:
    with pytest.raises(UnspeakableText, match="it speaks: English"):
        await chunks_of(make_synthesizer(FakeEngine()), "今天天气很好。我们走吧。", live=True)


async def test_figures_count_as_what_is_read_aloud(make_synthesizer: Make) -> None:
    synthesizer = make_synthesizer(FakeEngine(), max_text=100, max_buffered_text=100)
    with pytest.raises(SpokenTextTooLong):
        await chunks_of(synthesizer, "7" * 90, live=False)
    async with synthesizer.stream(SpeechRequest()) as utterance:
        for _ in range(60):
            utterance.write("7")
        with pytest.raises(SpokenTextTooLong):
            utterance.write("7")
