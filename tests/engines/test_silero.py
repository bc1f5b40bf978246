"""Silero: listeners do not hear each other, and nothing that is not speech is taken for it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from vivavoce.audio.chunk import Samples
from vivavoce.audio.resample import Resampler
from vivavoce.engines.silero import FRAME, SAMPLE_RATE, SILENCE, SileroDetector, SileroState
from vivavoce.engines.vendored import SHA256, SILERO, SILERO_OVER_TIME
from vivavoce.engines.vendored.over_time import over_time
from vivavoce.recognition.speech_detector import SpeechDetector, SpeechStarted


@pytest.fixture(scope="module")
def silero() -> SileroDetector:
    return SileroDetector()


@pytest.fixture(scope="module")
def speech() -> Samples:
    """Three seconds of the embedded voice, 16 kHz."""
    from hibari import Hibari

    resampler = Resampler(24_000, SAMPLE_RATE)
    spoken = np.concatenate(list(Hibari().stream("The evening train was late, so we walked home along the river.")))
    return np.concatenate([resampler.process(spoken), resampler.flush()])


def framed(sound: Samples) -> NDArray[np.float32]:
    """float32 [n, FRAME], filled up with silence."""
    return np.pad(sound, (0, -len(sound) % FRAME)).reshape(-1, FRAME)


def reference(sound: Samples) -> list[float]:
    """The project's own way: one session, the state and 64 samples of context carried by hand."""
    session = ort.InferenceSession(str(SILERO), providers=["CPUExecutionProvider"])
    state, context, found = np.zeros((2, 1, 128), np.float32), np.zeros((1, 64), np.float32), []
    for frame in framed(sound):
        x = np.concatenate([context, frame[None]], axis=1)
        out, state = session.run(None, {"input": x, "state": state, "sr": np.array(16_000, np.int64)})
        context = x[:, -64:]
        found.append(float(out[0, 0]))
    return found


def test_the_files_are_the_published_ones() -> None:
    for path, sha256 in SHA256.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    assert len(list(SILERO.parent.glob("LICENSE*"))) == len(SHA256)


def test_as_its_authors_use_it(silero: SileroDetector, speech: Samples) -> None:
    found, _ = silero.hear(SILENCE, framed(speech))
    np.testing.assert_allclose(found, reference(speech), atol=1e-5)
    assert np.mean(np.array(found) > 0.5) > 0.7


def test_listeners_do_not_hear_each_other(silero: SileroDetector, speech: Samples) -> None:
    sounds = [framed(speech)[:40], np.zeros((40, FRAME), np.float32), framed(np.roll(speech, 5000))[:40]]
    alone = [silero.hear(SILENCE, frames)[0] for frames in sounds]
    states, together = [SILENCE] * 3, []
    for i in range(40):
        probabilities, states = silero.step(states, np.stack([frames[i] for frames in sounds]))
        together.append(probabilities)
    np.testing.assert_allclose(np.array(together).T, alone, atol=1e-4)


def test_a_state_is_a_value(silero: SileroDetector, speech: Samples) -> None:
    frames = framed(speech)[:20]
    _, middle = silero.hear(SILENCE, frames[:10])
    once, _ = silero.hear(middle, frames[10:])
    again, _ = silero.hear(middle, frames[10:])
    assert once == again
    assert not SILENCE.memory.any()


def test_frames_of_another_length(silero: SileroDetector) -> None:
    with pytest.raises(ValueError, match=r"\(1, 512\)"):
        silero.step([SILENCE], np.zeros((1, 256), np.float32))


def no_speech() -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Twelve kinds of silence, noise, tones and clicks, four seconds each."""
    n = 4 * SAMPLE_RATE
    time = np.arange(n) / SAMPLE_RATE
    noise = np.random.default_rng(1).standard_normal(n)
    spectrum = np.fft.rfft(noise)
    hz = np.fft.rfftfreq(n, 1 / SAMPLE_RATE)
    clicks = np.zeros(n)
    clicks[:: SAMPLE_RATE // 2] = 0.9
    bursts = noise * (np.modf(time * 2)[0] < 0.02)
    yield "silence", np.zeros(n)
    yield "offset", np.full(n, 0.2)
    yield "noise at -60 dB", noise * 1e-3
    yield "noise at -30 dB", noise * 0.03
    yield "loud noise", noise * 0.3
    yield "pink noise", np.fft.irfft(spectrum / np.sqrt(np.maximum(hz, 20)), n)
    yield "rumble", np.fft.irfft(spectrum * (hz < 120), n) * 0.5
    yield "hum", 0.1 * np.sum([np.sin(2 * np.pi * 50 * k * time) / k for k in (1, 2, 3, 5)], axis=0)
    yield "tone", 0.3 * np.sin(2 * np.pi * 1000 * time)
    yield "sweep", 0.3 * np.sin(2 * np.pi * (200 * time + 400 * time**2))
    yield "clicks", clicks
    yield "typing", bursts


@pytest.mark.parametrize(("name", "sound"), [pytest.param(*case, id=case[0]) for case in no_speech()])
def test_no_speech_in_what_is_none(silero: SileroDetector, name: str, sound: NDArray[np.float64]) -> None:
    probabilities, _ = silero.hear(SILENCE, framed(sound.astype(np.float32)))
    detector = SpeechDetector()
    events = [*detector.feed(probabilities), *detector.flush()]
    assert not any(isinstance(event, SpeechStarted) for event in events)


def test_speech_is_one_segment(silero: SileroDetector, speech: Samples) -> None:
    padded = np.pad(speech, (SAMPLE_RATE, SAMPLE_RATE))
    probabilities, _ = silero.hear(SILENCE, framed(padded))
    detector = SpeechDetector()
    events = [*detector.feed(probabilities), *detector.flush()]
    starts = [event.start / SAMPLE_RATE for event in events if isinstance(event, SpeechStarted)]
    assert 0.6 < starts[0] < 1.3


def test_the_graph_over_time_is_made_of_silero(silero: SileroDetector, speech: Samples) -> None:
    """And gives the same numbers, however the frames are cut."""
    assert over_time(SILERO).SerializeToString() == SILERO_OVER_TIME.read_bytes()
    frames = framed(np.pad(speech, 20_000))
    expected, state = [], SILENCE
    for frame in frames:
        probabilities, (state,) = silero.step([state], frame[None])
        expected.append(float(probabilities[0]))
    for size in (1, 7, 64, len(frames)):
        found: list[float] = []
        state = SILENCE
        for start in range(0, len(frames), size):
            probabilities_of, state = silero.hear(state, frames[start : start + size])
            found += probabilities_of
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_long_silence_takes_no_work_and_ends_with_it(
    silero: SileroDetector, speech: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet, state = np.zeros((256, FRAME), np.float32), SILENCE
    _, state = silero.hear(state, framed(speech))
    for _ in range(20):
        found, state = silero.hear(state, quiet)
    assert state.resting == pytest.approx(found[-1])
    after_work, _ = silero.hear(SileroState(state.memory, state.context), framed(speech))
    with monkeypatch.context() as patch:
        patch.setattr(silero, "over_time", None)
        found, state = silero.hear(state, quiet)
    assert max(found) < 0.1
    np.testing.assert_allclose(silero.hear(state, framed(speech))[0], after_work, atol=1e-4)
    faint = quiet.copy()
    faint[3, 7] = 1e-3
    assert silero.hear(state, faint)[1].resting is None
