"""A published model, whisper tiny.en, hears the embedded voice: what a synthetic one cannot show."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import ctranslate2
import numpy as np
import pytest

from recognizer import english_model
from synthetic_whisper import Folders
from synthetic_whisper import cache as cache_folder
from vivavoce.audio.chunk import Samples
from vivavoce.audio.mel import log_mel
from vivavoce.engines.recognizer import Heard, HearingOptions
from vivavoce.engines.whisper.own_speech import own_speech
from vivavoce.engines.whisper.recognizer import WhisperRecognizer

SENTENCES = (
    "The train to Lisbon leaves at a quarter past nine.",
    "Nothing is ever lost at sea.",
    "Could you tell me where the nearest pharmacy is?",
)


@cache
def recognizer() -> WhisperRecognizer:
    return WhisperRecognizer(Folders({"tiny.en": english_model()}, ("en",)), cache_folder(), own_speech, threads=1)


@cache
def model() -> Any:
    return recognizer().load_model("tiny.en")


@cache
def spoken(text: str) -> Samples:
    """From its first sound to its last."""
    import soxr
    from hibari import Hibari
    from hibari.voices import DEFAULT

    from vivavoce.audio.silence import trim_silence

    voice = Hibari(voice=DEFAULT, threads=1)
    sound = np.concatenate([voice.from_phonemes(phonemes, 1.0, 3) for phonemes in voice.phonemize(text)])
    trimmed = trim_silence(sound, 24_000, lead_s=0.0, tail_s=0.0)
    return np.asarray(soxr.resample(trimmed, 24_000, 16_000), np.float32)


def heard(sound: Samples, options: HearingOptions) -> Heard:
    stream = recognizer().open(model(), options)
    stream.feed(sound)
    stream.end()
    found: Heard | None = None
    while stream.stage != "done":
        (found,) = recognizer().step([stream], threads=1)
    assert found is not None
    return found


def plain(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


@pytest.mark.parametrize("text", SENTENCES)
def test_it_hears_what_was_said_and_says_it_once(text: str) -> None:
    found = heard(np.pad(spoken(text), 3200), HearingOptions())
    assert plain(found.text) == plain(text)
    assert found.language == "en"
    assert found.avg_logprob > -0.5
    assert found.no_speech_prob < 0.6


def test_words_are_where_they_were_said() -> None:
    """Three sentences with pauses of known places between them: no border is off by more than 0.2 s."""
    parts, places, now_s = [np.zeros(4800, np.float32)], [], 0.3
    for text in ("Good morning.", "The train is late.", "Call my sister."):
        sound = spoken(text)
        places.append((now_s, now_s + len(sound) / 16_000, len(text.split())))
        parts += [sound, np.zeros(8000, np.float32)]
        now_s += len(sound) / 16_000 + 0.5
    words = list(heard(np.concatenate(parts), HearingOptions(word_times=True)).words)
    assert len(words) == 9
    for start_s, end_s, count in places:
        said, words = words[:count], words[count:]
        assert said[0].start_s == pytest.approx(start_s, abs=0.2)
        assert said[-1].end_s == pytest.approx(end_s, abs=0.2)


def test_the_encoder_is_that_of_ctranslate2() -> None:
    """As far as 7 bits go, in a whole window and in a short one."""
    reference = ctranslate2.models.Whisper(str(english_model()), compute_type="float32", intra_threads=1)
    for pad_s in (1.0, 30 - len(spoken(SENTENCES[0])) / 16_000):
        features = log_mel(spoken(SENTENCES[0]), pad_s=pad_s)
        features = np.ascontiguousarray(features[:, : features.shape[1] // 2 * 2])
        expected = np.array(reference.encode(ctranslate2.StorageView.from_array(features[None]), to_cpu=True))
        found = model().encoder.whole(features, 1)
        likeness = (found * expected).sum(-1) / np.linalg.norm(found, axis=-1) / np.linalg.norm(expected, axis=-1)
        assert np.median(likeness) > 0.99


def test_a_prompt_changes_the_spelling() -> None:
    sound = np.pad(spoken("My name is Jon Smith."), 3200)
    assert "Smyth" in heard(sound, HearingOptions(prompt="A letter from Jon Smyth. Jon Smyth is here.")).text
    assert "Smyth" not in heard(sound, HearingOptions()).text
