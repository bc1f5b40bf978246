"""The engine as the synthesizer sees it: sentences in, chunks out, each as if it were alone."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from synthetic_genie_data import genie_data, voice_library
from vivavoce.audio.chunk import AudioChunk
from vivavoce.engines.genie.engine import MAX_BATCH, GenieEngine
from vivavoce.engines.genie.reading.genie_data import GenieData
from vivavoce.engines.genie.reading.phonemes import PhonemeFrontEnd
from vivavoce.engines.genie.sentence import GenieSentence
from vivavoce.engines.genie.voice import GenieVoice
from vivavoce.engines.speech import SpeechOptions
from vivavoce.errors import Overloaded, UnknownVoice, UnspeakableText, VoiceUnavailable
from vivavoce.text.normalize import SpokenText, normalize
from vivavoce.voices.store import VoiceDirectory, VoiceStore
from voice_packs import make_pack, write

SHORT, LONG = "こんにちは。", "さんぽにいきましょう。"  # 0.7 and 1.5 s
SEEDED = SpeechOptions(seed=11)
Samples = NDArray[np.float32]


def opened(engine: GenieEngine, voice: GenieVoice, text: str, options: SpeechOptions = SEEDED) -> GenieSentence:
    return engine.open(normalize(text), voice, options)


def finished(engine: GenieEngine, sentence: GenieSentence, *, buffered_s: float = 0.0) -> list[AudioChunk]:
    chunks: list[AudioChunk] = []
    while sentence.stage != "done":
        sentence.buffered_s = buffered_s
        (chunk,) = engine.step([sentence], threads=2)
        chunks += [chunk] if chunk is not None else []
    sentence.close()
    return chunks


def sound(chunks: Sequence[AudioChunk]) -> Samples:
    return np.concatenate([chunk.samples for chunk in chunks])


def said(engine: GenieEngine, voice: GenieVoice, text: str, options: SpeechOptions = SEEDED) -> Samples:
    return sound(finished(engine, opened(engine, voice, text, options)))


@pytest.fixture(autouse=True)
def _nothing_stays_open(alpha: GenieVoice, beta: GenieVoice) -> object:
    yield
    assert [alpha.open_sentences, beta.open_sentences] == [0, 0]
    assert [alpha.semantic.open_rows, beta.semantic.open_rows] == [0, 0]


# -- a sentence ----------------------------------------------------------------------------------------------------


def test_the_sound_is_as_long_as_its_tokens(engine: GenieEngine, alpha: GenieVoice) -> None:
    sentence = opened(engine, alpha, SHORT)
    samples = sound(finished(engine, sentence))
    assert sentence.semantic.ended == "spoken"
    assert len(samples) == 1280 * len(sentence.semantic.tokens)
    assert samples.dtype == np.float32
    assert 0.01 < float(np.abs(samples).max()) <= 1.0


def test_sound_leaves_while_the_sentence_is_being_decoded(engine: GenieEngine, beta: GenieVoice) -> None:
    sentence = opened(engine, beta, LONG)
    decodes = 0
    while True:
        decodes += sentence.stage == "decode"
        (chunk,) = engine.step([sentence], threads=2)
        if chunk is not None and len(chunk.samples):
            break
    first = decodes
    while sentence.stage != "done":
        decodes += sentence.stage == "decode"
        engine.step([sentence], threads=2)
    sentence.close()
    assert first == 14, "22 frames and 8 of look-ahead are 15 tokens, the first comes from the prefill"
    assert decodes > 2 * first


def test_the_same_seed_gives_the_same_sound_under_any_load(engine: GenieEngine, beta: GenieVoice) -> None:
    lonely = finished(engine, opened(engine, beta, LONG), buffered_s=0.0)
    patient = finished(engine, opened(engine, beta, LONG), buffered_s=30.0)
    np.testing.assert_array_equal(sound(lonely), sound(patient))
    assert not np.array_equal(sound(lonely), said(engine, beta, LONG, SpeechOptions(seed=12)))


def test_without_a_seed_tokens_run_ahead_of_a_listener_who_has_enough(engine: GenieEngine, beta: GenieVoice) -> None:
    sentence = opened(engine, beta, LONG, SpeechOptions())
    stages: list[str] = []
    while sentence.stage != "done":
        sentence.buffered_s = 0.0 if sentence.chunks == 0 else 5.0
        stages.append(sentence.stage)
        engine.step([sentence], threads=2)
    sentence.close()
    runs = [stage for stage, before in zip(stages, [None, *stages], strict=False) if stage != before]
    assert runs == ["prefill", "decode", "vocode", "decode", "vocode"]


def test_two_requests_without_a_seed_differ(engine: GenieEngine, beta: GenieVoice) -> None:
    one, other = (said(engine, beta, SHORT, SpeechOptions()) for _ in range(2))
    assert len(one) != len(other) or not np.array_equal(one, other)


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_speed_changes_the_length(engine: GenieEngine, beta: GenieVoice, speed: float) -> None:
    sentence = opened(engine, beta, SHORT, SpeechOptions(seed=11, speed=speed))
    samples = sound(finished(engine, sentence))
    assert len(samples) == 640 * -(-2 * len(sentence.semantic.tokens) // speed)


def test_a_step_vocodes_a_few_frames(engine: GenieEngine, beta: GenieVoice) -> None:
    chunks = finished(engine, opened(engine, beta, LONG))
    most = beta.vocoder.frames_per_step
    assert max(len(chunk.samples) for chunk in chunks[:-1]) <= 640 * most
    assert len(chunks[-1].samples) <= 640 * (most + 11)


def test_a_sentence_that_was_cut_fades(engine: GenieEngine, beta: GenieVoice) -> None:
    sentence = opened(engine, beta, LONG)
    sentence.semantic.limit = 16
    samples = sound(finished(engine, sentence))
    assert sentence.semantic.ended == "limit"
    assert len(samples) == 16 * 1280
    assert samples[-1] == 0.0
    assert np.abs(samples[-2000:-1000]).max() > 10 * np.abs(samples[-5:]).max()


def test_every_word_is_placed_once(engine: GenieEngine, beta: GenieVoice) -> None:
    chunks = finished(engine, opened(engine, beta, "さんぽ に いきましょう。"))
    words = [word for chunk in chunks for word in chunk.words]
    assert "".join(word.text for word in words).replace(" ", "") == "さんぽにいきましょう。"
    assert all(0 <= word.start_s <= word.end_s for word in words)
    assert all(word.end_s <= later.start_s + 1e-9 for word, later in pairwise(words))
    assert words[-1].end_s <= len(sound(chunks)) / 32000 + 1e-9


@pytest.mark.parametrize("steps", [0, 1, 5, 16, 18])
def test_closing_frees_at_any_time(engine: GenieEngine, alpha: GenieVoice, steps: int) -> None:
    sentence = opened(engine, alpha, LONG)
    for _ in range(steps):
        engine.step([sentence], threads=2)
    sentence.close()
    sentence.close()
    assert sentence.stage == "done"
    assert engine.step([sentence], threads=2) == [None]


# -- company -------------------------------------------------------------------------------------------------------


def together(engine: GenieEngine, sentences: Sequence[GenieSentence]) -> list[Samples]:
    """Advance all, those that may share a step in one, as the scheduler would."""
    chunks: list[list[Samples]] = [[] for _ in sentences]
    while any(sentence.stage != "done" for sentence in sentences):
        groups: dict[object, list[int]] = {}
        for index, sentence in enumerate(sentences):
            if sentence.stage != "done":
                groups.setdefault((sentence.stage, sentence.batch_key), []).append(index)
        for members in groups.values():
            for index, chunk in zip(members, engine.step([sentences[i] for i in members], threads=2), strict=True):
                chunks[index] += [chunk.samples] if chunk is not None else []
    for sentence in sentences:
        sentence.close()
    return [np.concatenate(parts) for parts in chunks]


def test_two_voices_interleaved_are_each_as_if_alone(engine: GenieEngine, alpha: GenieVoice, beta: GenieVoice) -> None:
    alone = [said(engine, alpha, LONG), said(engine, beta, LONG)]
    assert not np.array_equal(alone[0], alone[1])
    mixed = together(engine, [opened(engine, alpha, LONG), opened(engine, beta, LONG)])
    for one, other in zip(alone, mixed, strict=True):
        np.testing.assert_array_equal(one, other)


def test_sentences_that_share_steps_are_each_as_if_alone(engine: GenieEngine, beta: GenieVoice) -> None:
    requests = [(SHORT, SpeechOptions(seed=1)), (LONG, SpeechOptions(seed=2))]
    alone = [said(engine, beta, text, options) for text, options in requests]
    mixed = together(engine, [opened(engine, beta, text, options) for text, options in requests])
    for one, other in zip(alone, mixed, strict=True):
        np.testing.assert_array_equal(one, other)


def test_tokens_are_drawn_while_a_sentence_vocodes(engine: GenieEngine, beta: GenieVoice) -> None:
    vocoding, decoding, seeded = (
        opened(engine, beta, LONG, options) for options in (SpeechOptions(), SpeechOptions(), SEEDED)
    )
    for sentence in (vocoding, seeded):
        while sentence.stage != "vocode":
            engine.step([sentence], threads=2)
    counts = [len(sentence.semantic.tokens) for sentence in (vocoding, seeded)]
    engine.step([decoding], threads=2)
    for _ in range(3):
        engine.step([decoding], threads=2)
    drawn = [len(sentence.semantic.tokens) for sentence in (vocoding, seeded)]
    assert drawn == [counts[0] + 3, counts[1]], "a seed's sound must not depend on company"
    assert vocoding.stage == "vocode"
    together(engine, [vocoding, decoding, seeded])


def test_what_is_committed_can_no_longer_be_taken_back(engine: GenieEngine, beta: GenieVoice) -> None:
    sentence = opened(engine, beta, LONG, SpeechOptions())
    while sentence.chunks < 2:
        engine.step([sentence], threads=2)
    assert sentence.semantic.committed == sentence.latent.committed // 2 > 10
    sentence.close()


def test_a_sentence_that_ends_with_nothing_left_is_flushed(engine: GenieEngine, beta: GenieVoice) -> None:
    """All that was said is committed when a collapse takes the rest back."""
    sentence = opened(engine, beta, LONG, SpeechOptions())
    made = 0
    while sentence.chunks < 2 or sentence.pending is not None:
        (chunk,) = engine.step([sentence], threads=2)
        made += len(chunk.samples) if chunk is not None else 0
    del sentence.semantic.tokens[sentence.semantic.committed :]
    sentence.semantic.ended = "collapse"
    sentence.choose_stage()
    assert sentence.stage == "vocode"
    made += len(sound(finished(engine, sentence)))
    assert made == 640 * sentence.latent.committed


def test_threads_that_share_a_voice_lose_nothing(engine: GenieEngine, beta: GenieVoice) -> None:
    """One thread decodes, another vocodes, as workers do: every sentence is whole, as long as its tokens say."""
    sentences = [opened(engine, beta, text, SpeechOptions()) for text in (SHORT, LONG, LONG, SHORT)]
    made = dict.fromkeys(sentences, 0)
    busy: set[GenieSentence] = set()
    lock = threading.Lock()

    def take() -> list[GenieSentence]:
        with lock:
            free = [sentence for sentence in sentences if sentence.stage != "done" and sentence not in busy]
            decoding = [sentence for sentence in free if sentence.stage == "decode"]
            group = free[:1] if not decoding or free[0].stage != "decode" else decoding
            busy.update(group)
            return group

    def work() -> None:
        while any(sentence.stage != "done" for sentence in sentences):
            group = take()
            if not group:
                time.sleep(0.001)
                continue
            for sentence, chunk in zip(group, engine.step(group, threads=2), strict=True):
                made[sentence] += len(chunk.samples) if chunk is not None else 0
            with lock:
                busy.difference_update(group)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for sentence in sentences:
        assert sentence.semantic.ended == "spoken"
        assert made[sentence] == 1280 * len(sentence.semantic.tokens)
        sentence.close()


def test_only_decoding_is_shared(engine: GenieEngine, alpha: GenieVoice, beta: GenieVoice) -> None:
    sentences = [opened(engine, voice, SHORT) for voice in (alpha, alpha, beta)]
    assert len({sentence.batch_key for sentence in sentences}) == 3
    for sentence in sentences:
        engine.step([sentence], threads=2)
    assert [sentence.batch_key for sentence in sentences] == [alpha, alpha, beta]
    for sentence in sentences:
        sentence.close()


def test_more_sentences_than_rows_are_refused(engine: GenieEngine, beta: GenieVoice) -> None:
    sentences = [opened(engine, beta, SHORT) for _ in range(MAX_BATCH)]
    with pytest.raises(Overloaded):
        opened(engine, beta, SHORT)
    for sentence in sentences:
        sentence.close()
    opened(engine, beta, SHORT).close()


# -- voices --------------------------------------------------------------------------------------------------------


def test_voices_are_listed(engine: GenieEngine) -> None:
    alpha, beta = engine.voices()
    assert (alpha.id, beta.id) == ("alpha", "beta")
    assert alpha.references == ("Normal",)
    assert alpha.languages[0] == "ja"
    assert alpha.problem is None


def test_references_are_chosen_by_name(engine: GenieEngine, alpha: GenieVoice) -> None:
    assert alpha.reference(SpeechOptions(reference="normal")) is alpha.references["Normal"]
    assert alpha.reference(SpeechOptions(instructions="sound happy")) is alpha.references["Normal"]
    with pytest.raises(UnknownVoice, match=r"alpha/Sad.*alpha/Normal"):
        alpha.reference(SpeechOptions(reference="Sad"))


def test_unknown_voices_and_languages_are_refused(engine: GenieEngine, alpha: GenieVoice) -> None:
    with pytest.raises(UnknownVoice, match="alpha, beta"):
        engine.load_voice("gamma")
    with pytest.raises(UnspeakableText):
        engine.check(SpokenText("Привет", "Привет", "ru"), alpha, SpeechOptions())
    engine.check(SpokenText("안녕", "안녕", "ko"), alpha, SpeechOptions())
    engine.check(normalize(SHORT), alpha, SpeechOptions())


def test_a_voice_without_genie_data_says_what_helps(graph_cache: Path, tmp_path: Path) -> None:
    (tmp_path / "graphs").symlink_to(graph_cache / "graphs")
    store = VoiceStore([VoiceDirectory(voice_library())])
    engine = GenieEngine(store, PhonemeFrontEnd(GenieData(tmp_path / "nothing")), tmp_path)
    with pytest.raises(VoiceUnavailable, match=r"alpha.*vivavoce voices pull"):
        engine.load_voice("alpha")


def test_a_korean_clip_is_read_as_it_is_said(graph_cache: Path, tmp_path: Path) -> None:
    """Figures and all; and a voice made of it speaks Korean where nothing tells the language."""
    folder = make_pack(tmp_path / "voices" / "bora")
    write(folder / "reference" / "config.json", {"text": "오늘 14층에서 만나요.", "language": "Korean"})
    (tmp_path / "graphs").symlink_to(graph_cache / "graphs")
    store = VoiceStore([VoiceDirectory(tmp_path / "voices")])
    korean = GenieEngine(store, PhonemeFrontEnd(GenieData(genie_data())), tmp_path)

    (info,) = korean.voices()
    assert (info.languages[0], info.problem) == ("ko", None)
    phonemes = korean.load_voice("bora").reference(SpeechOptions()).phonemes
    said = PhonemeFrontEnd().phonemize("오늘 십사층에서 만나요.", "ko", prompt=True)
    assert phonemes.language == "ko"
    assert np.array_equal(phonemes.ids, said.ids)


def test_loading_tells_its_progress(engine: GenieEngine) -> None:
    told: list[float] = []
    engine.load_voice("beta", lambda what, fraction: told.append(fraction))
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_the_package_does_not_import_genie() -> None:
    code = "import sys, vivavoce.engines.genie.engine; sys.exit('genie_tts' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
