"""The measurements of `vivavoce voices check`: its distance is a distance, and one piece really is one piece."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vivavoce.audio.chunk import AudioChunk
from vivavoce.cli.voices_check import mel_distance, recognize, speak
from vivavoce.engines.genie.engine import GenieEngine
from vivavoce.engines.genie.reading.genie_data import GenieData
from vivavoce.engines.genie.reading.phonemes import PhonemeFrontEnd
from vivavoce.engines.genie.sentence import GenieSentence
from vivavoce.engines.genie.voice import GenieVoice
from vivavoce.errors import VoiceUnavailable
from vivavoce.text.normalize import normalize
from vivavoce.voices.store import VoiceDirectory, VoiceStore
from voice_packs import make_pack

RATE = 32_000


def tones(*frequencies_hz: float, gain: float = 0.3) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    time = np.arange(RATE // 4) / RATE
    return np.concatenate([(gain * np.sin(2 * np.pi * f * time)).astype(np.float32) for f in frequencies_hz])


def test_the_distance_is_zero_for_equals_and_grows_with_the_difference() -> None:
    melody = tones(220, 440, 330, 550)
    assert mel_distance(melody, melody, RATE) == 0.0
    softer = mel_distance(melody, 0.5 * melody, RATE)
    other = mel_distance(melody, tones(200, 600, 250, 900), RATE)
    assert 0 < softer < other


def test_the_distance_forgives_a_longer_vowel_but_not_another_one() -> None:
    melody = tones(220, 440, 330)
    longer = tones(220, 440, 440, 330)
    assert mel_distance(melody, longer, RATE) < 0.3 * mel_distance(melody, tones(220, 900, 330), RATE)


def test_one_piece_has_the_tokens_of_the_stream_and_all_of_them_at_once(
    engine: GenieEngine, alpha: GenieVoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: list[bool] = []  # for each vocoder step: was the last token known?
    vocode = GenieSentence.vocode

    def watched(sentence: GenieSentence, threads: int) -> AudioChunk | None:
        known.append(sentence.semantic.ended is not None)
        return vocode(sentence, threads)

    monkeypatch.setattr(GenieSentence, "vocode", watched)
    sentence = normalize("おはようございます。", "ja")
    streamed = speak(engine, alpha, sentence, seed=3)
    assert not known[0]
    known.clear()
    whole = speak(engine, alpha, sentence, seed=3, streamed=False)
    assert all(known)
    assert len(streamed.samples) == len(whole.samples), "the same tokens"
    near = mel_distance(streamed.samples, whole.samples, RATE)
    far = mel_distance(streamed.samples, speak(engine, alpha, sentence, seed=4).samples, RATE)
    assert 0 < near < far


def test_a_damaged_voice_is_not_loaded_and_the_other_one_is(tmp_path: Path, genie_data_folder: Path) -> None:
    make_pack(tmp_path / "whole", version="v2")
    damaged = make_pack(tmp_path / "damaged", version="v2") / "tts_models" / "vits_fp16.bin"
    damaged.unlink()
    damaged.write_bytes(b"short")
    store = VoiceStore([VoiceDirectory(tmp_path)])
    own = GenieEngine(store, PhonemeFrontEnd(GenieData(genie_data_folder)), tmp_path / "cache")
    problems = {info.id: info.problem for info in own.voices()}
    assert "vits_fp16.bin is truncated" in (problems["damaged"] or "")
    assert problems["whole"] is None
    with pytest.raises(VoiceUnavailable, match=r"vits_fp16\.bin is truncated"):
        own.load_voice("damaged")


def test_no_recognizer_for_a_language_is_no_error() -> None:
    assert recognize(tones(220), RATE, "ko") is None
