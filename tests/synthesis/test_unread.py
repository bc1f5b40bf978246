"""Sound that waits for its reader: bounded, in order, on the listener's clock."""

import numpy as np

from vivavoce.audio.chunk import AudioChunk
from vivavoce.synthesis.speaker import SpokenChunk
from vivavoce.synthesis.unread import Made, UnreadSound
from vivavoce.text.sentences import Sentence

RATE = 8_000
SENTENCE = Sentence("Well.", 0, 0, "sentence", True)


def made(seconds: float, at_s: float = 0.0) -> Made:
    audio = AudioChunk(np.zeros(round(seconds * RATE), np.float32), RATE)
    return Made(SpokenChunk(audio, SENTENCE, at_s, at_s == 0, False), text_came_s=0.0)


def test_it_is_full_from_its_bound_on_and_not_once_it_was_read() -> None:
    sound = UnreadSound(RATE, ahead_s=1.0)
    sound.put(made(0.75), now_s=10.0)
    assert not sound.is_full
    sound.put(made(0.25), now_s=10.5)
    assert sound.is_full
    assert sound.produced_s == 1.0
    first = sound.take()
    assert first is not None
    assert first.chunk.audio.duration_s == 0.75
    assert not sound.is_full
    assert sound.produced_s == 1.0


def test_slack_is_what_the_listener_had_left() -> None:
    sound = UnreadSound(RATE, ahead_s=9.0)
    assert sound.put(made(1.0), now_s=10.0) is None
    assert sound.put(made(1.0), now_s=10.25) == 0.75
    assert sound.put(made(1.0), now_s=12.5) == -0.5


def test_nothing_is_left_of_what_was_dropped() -> None:
    sound = UnreadSound(RATE, ahead_s=0.5)
    sound.put(made(1.0), now_s=1.0)
    sound.clear()
    assert sound.take() is None
    assert not sound
    assert not sound.is_full
