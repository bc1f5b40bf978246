"""The words that the assistant believes were heard, against the samples that really left the track.

Each word sounds at a level of its own, so that the samples say how far the listener came. Two hundred interruptions at
random places; cut into chunks at random, too.
"""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vivavoce.assistant.heard import SpokenText
from vivavoce.audio.chunk import AudioChunk
from vivavoce.speaking.sink import SpokenChunk
from vivavoce.text.sentences import Sentence
from vivavoce.transports.webrtc.playout import SAMPLE_RATE, Playout
from vivavoce.transports.webrtc.speech_track import FRAME_SAMPLES
from vivavoce.transports.webrtc.track_sink import TrackSink
from vivavoce.words import WordTiming

WORDS = 24


class Told(SpokenText):
    """Hears of the chunks as the assistant's mouth does."""

    def tell_chunk(self, chunk: SpokenChunk, *, format: str, sample_rate: int) -> None:
        begun = chunk.sentence.text if chunk.begins_sentence else ""
        self.add(begun, chunk.audio.words, chunk.start_s + chunk.audio.duration_s)


def spoken(chance: random.Random) -> list[SpokenChunk]:
    """One sentence of words of a tenth to a half of a second, in chunks of any length."""
    lengths = [chance.randrange(SAMPLE_RATE // 10, SAMPLE_RATE // 2) for _ in range(WORDS)]
    begins = [sum(lengths[:n]) for n in range(WORDS + 1)]
    levels = np.concatenate([np.full(length, (n + 1) / 100, np.float32) for n, length in enumerate(lengths)])
    names = [f"word{n:02d}" for n in range(WORDS)]
    sentence = Sentence(" ".join(names), 0, 0, "sentence")
    words = [
        WordTiming(name, begins[n] / SAMPLE_RATE, begins[n + 1] / SAMPLE_RATE, 7 * n, 7 * n + 6)
        for n, name in enumerate(names)
    ]
    chunks, at = [], 0
    while at < len(levels):
        end = min(len(levels), at + chance.randrange(SAMPLE_RATE // 20, SAMPLE_RATE))
        held = tuple(word for word in words if at <= round(word.start_s * SAMPLE_RATE) < end)
        audio = AudioChunk(levels[at:end], SAMPLE_RATE, held)
        chunks.append(SpokenChunk(audio, sentence, at / SAMPLE_RATE, at == 0, end == len(levels)))
        at = end
    return chunks


@pytest.mark.parametrize("seed", range(200))
async def test_at_most_one_word_is_believed_wrongly(seed: int) -> None:
    chance = random.Random(seed)
    playout, told = Playout(), Told()
    before = chance.randrange(5)
    for _ in range(before):  # the call has been silent for a while
        playout.take(FRAME_SAMPLES)

    async def room() -> None:
        left.append(playout.take(FRAME_SAMPLES))  # the track plays while it is written to

    left: list[Any] = []
    track: Any = SimpleNamespace(playout=playout, room=room, clear=playout.clear, write=playout.write)
    teller: Any = told
    sink = TrackSink(teller, track)
    for chunk in spoken(chance):
        await sink.send(chunk)
    for _ in range(chance.randrange(400)):
        left.append(playout.take(FRAME_SAMPLES))
    believed = told.heard(sink.position_s)
    sink.stop()
    heard = len(np.unique(np.rint(100 * np.concatenate(left)).astype(int)[np.concatenate(left) > 0]))
    assert abs(len(believed.split()) - heard) <= 1
    assert told.text.startswith(believed)
