"""The recognizer as FastRTC's `STTModel`: it reads what a voice of this server said, however it is handed over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest
import soxr
from fastrtc.speech_to_text.stt_ import STTModel, stt_for_chunks
from numpy.typing import NDArray

from vivavoce.adapters.fastrtc import HearingModel, SpeechModel
from vivavoce.adapters.fastrtc.heard_sound import HeardSound, mono
from vivavoce.config import Config
from vivavoce.errors import InvalidAudio, UnknownModel

SAID = "The capital of France is Paris."


@pytest.fixture(scope="module")
def hearing() -> Iterator[HearingModel]:
    model = HearingModel(Config(workers=1), model="tiny.en")
    yield model
    model.close()


@pytest.fixture(scope="module")
def spoken() -> tuple[int, NDArray[np.float32]]:
    model = SpeechModel(Config(workers=1))
    try:
        return model.tts(SAID)
    finally:
        model.close()


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 44_100, 48_000])
def test_any_rate_is_heard(hearing: HearingModel, spoken: tuple[int, NDArray[np.float32]], rate: int) -> None:
    assert hearing.stt((rate, soxr.resample(spoken[1], spoken[0], rate))) == SAID


def test_what_reply_on_pause_hands_over_is_heard(
    hearing: HearingModel, spoken: tuple[int, NDArray[np.float32]]
) -> None:
    rate, samples = spoken
    pcm = (samples * 32767).astype(np.int16)[np.newaxis]
    assert hearing.stt((rate, pcm)) == SAID
    assert hearing.stt((rate, np.stack([pcm[0], pcm[0]]))) == SAID


async def test_it_is_heard_on_an_event_loop_too(hearing: HearingModel, spoken: tuple[int, NDArray[np.float32]]) -> None:
    both = await asyncio.gather(hearing.stt_async(spoken), hearing.stt_async(spoken))
    assert list(both) == [SAID, SAID]


def test_fastrtcs_own_caller_takes_it(hearing: HearingModel, spoken: tuple[int, NDArray[np.float32]]) -> None:
    model: STTModel = hearing
    assert stt_for_chunks(model, spoken, [{"start": 0, "end": len(spoken[1])}]) == SAID


@pytest.mark.parametrize("length", [0, 1, 16_000])
def test_where_nobody_speaks_there_are_no_words(hearing: HearingModel, length: int) -> None:
    assert hearing.stt((16_000, np.zeros(length, np.int16))) == ""


def test_what_is_no_sound_is_refused(hearing: HearingModel) -> None:
    for rate, sound in ((0, np.zeros(9, np.int16)), (16_000, np.zeros((1, 1, 9), np.int16)), (16_000, np.array(["a"]))):
        with pytest.raises(InvalidAudio):
            hearing.stt((rate, sound))


def test_a_model_that_does_not_exist_is_named() -> None:
    model = HearingModel(Config(workers=1), model="nobody")
    try:
        with pytest.raises(UnknownModel):
            model.stt((16_000, np.zeros(16_000, np.int16)))
    finally:
        model.close()


def test_broken_samples_and_channels_become_one_sound() -> None:
    assert np.array_equal(mono(np.array([[16384, 0], [0, -16384]], np.int16)), np.array([0.25, -0.25], np.float32))
    assert np.all(np.isfinite(mono(np.array([0.1, np.nan, np.inf, 5.0], np.float32))))


def test_cut_anywhere_it_is_the_same_sound() -> None:
    sound = np.sin(np.arange(48_000) / 20).astype(np.float32)
    whole, cut = HeardSound(), HeardSound()
    at_once = np.concatenate([whole.process(48_000, sound), whole.flush()])
    pieces = [cut.process(48_000, sound[at : at + 960]) for at in range(0, len(sound), 960)]
    assert np.array_equal(at_once, np.concatenate([*pieces, cut.flush()]))
