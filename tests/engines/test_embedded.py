"""The voice that speaks everywhere: speed, seed, languages, words and long sentences, with its real weights."""

from __future__ import annotations

import ctypes
from itertools import pairwise

import numpy as np
import pytest
from hibari import Hibari

from vivavoce.audio.chunk import AudioChunk, Samples
from vivavoce.audio.silence import trim_silence
from vivavoce.engines import hibari_network
from vivavoce.engines.embedded import SAMPLE_RATE, EmbeddedEngine, EmbeddedVoice
from vivavoce.engines.speech import SpeechOptions
from vivavoce.errors import EmptyInput, UnknownVoice, UnspeakableText
from vivavoce.text.normalize import SpokenText, normalize

TEXT = "She sells sea shells by the sea shore, every single morning."


@pytest.fixture(scope="module")
def engine() -> EmbeddedEngine:
    return EmbeddedEngine()


@pytest.fixture(scope="module")
def voice(engine: EmbeddedEngine) -> EmbeddedVoice:
    return engine.load_voice(engine.voices()[0].id)


def chunks_of(engine: EmbeddedEngine, voice: EmbeddedVoice, text: str, **options: float) -> list[AudioChunk]:
    stream = engine.open(normalize(text), voice, SpeechOptions(**{"seed": 7, **options}))  # type: ignore[arg-type]
    chunks = []
    while stream.stage != "done":
        (chunk,) = engine.step([stream], threads=1)
        if chunk is not None:
            chunks.append(chunk)
    return chunks


def test_a_clause_takes_two_steps_neither_of_which_is_all_of_it(engine: EmbeddedEngine, voice: EmbeddedVoice) -> None:
    """Between them the worker may take up somebody who has heard nothing yet."""
    stream = engine.open(normalize("The harbour lies still."), voice, SpeechOptions(seed=7))
    stages, made = [], []
    while stream.stage != "done":
        stages.append(stream.stage)
        made += engine.step([stream], threads=1)
    assert stages == ["decode", "vocode"]
    assert made[0] is None
    assert made[1] is not None
    package = Hibari(voice=voice.id)
    (phonemes,) = package.phonemize("The harbour lies still.")
    whole = trim_silence(package.from_phonemes(phonemes, 1.0, 7), SAMPLE_RATE)
    assert np.array_equal(made[1].samples, whole)


def said(engine: EmbeddedEngine, voice: EmbeddedVoice, text: str, **options: float) -> Samples:
    return np.concatenate([chunk.samples for chunk in chunks_of(engine, voice, text, **options)])


def pitch_hz(samples: Samples) -> float:
    """Median fundamental frequency of the voiced frames, by autocorrelation (no model, no other library's idea)."""
    frame, lowest, highest = 1200, SAMPLE_RATE // 400, SAMPLE_RATE // 70
    found = []
    for start in range(0, len(samples) - 2 * frame, frame // 2):
        piece = samples[start : start + 2 * frame] - samples[start : start + 2 * frame].mean()
        correlation = np.correlate(piece, piece, "full")[2 * frame - 1 :]
        lag = lowest + int(correlation[lowest:highest].argmax())
        if correlation[0] > 1 and correlation[lag] > 0.6 * correlation[0]:
            found.append(SAMPLE_RATE / lag)
    assert len(found) > 3
    return float(np.median(found))


@pytest.mark.parametrize("speed", [0.25, 0.4, 0.5, 0.8, 1.5, 2.0, 3.0, 4.0])
def test_speed_changes_the_length_and_keeps_the_pitch(
    engine: EmbeddedEngine, voice: EmbeddedVoice, speed: float
) -> None:
    plain, other = said(engine, voice, TEXT), said(engine, voice, TEXT, speed=speed)
    # The model rounds every sound to whole frames of 25 ms, so fast speech is a little longer than asked for.
    assert len(plain) / len(other) == pytest.approx(speed, rel=0.25)
    assert pitch_hz(other) == pytest.approx(pitch_hz(plain), rel=0.12)


def test_lengths_fall_as_speed_rises(engine: EmbeddedEngine, voice: EmbeddedVoice) -> None:
    lengths = [len(said(engine, voice, TEXT, speed=speed)) for speed in (0.25, 0.45, 0.55, 1.0, 1.9, 2.1, 4.0)]
    assert all(slow > fast for slow, fast in pairwise(lengths))


@pytest.mark.parametrize("speed", [0.4, 1.0, 2.5])
def test_the_same_seed_gives_the_same_sound(engine: EmbeddedEngine, voice: EmbeddedVoice, speed: float) -> None:
    np.testing.assert_array_equal(said(engine, voice, TEXT, speed=speed), said(engine, voice, TEXT, speed=speed))
    other = said(engine, voice, TEXT, speed=speed, seed=8)
    assert not np.array_equal(said(engine, voice, TEXT, speed=speed), other)


def test_without_a_seed_no_two_are_alike(engine: EmbeddedEngine, voice: EmbeddedVoice) -> None:
    seeds = {engine.open(normalize(TEXT), voice, SpeechOptions()).seed for _ in range(3)}
    assert len(seeds) == 3


@pytest.mark.parametrize("text", ["你好。", "こんにちは", "안녕하세요", "Привет", "שלום", "γειά"])
def test_what_it_cannot_speak_is_refused_with_what_it_can(
    engine: EmbeddedEngine, voice: EmbeddedVoice, text: str
) -> None:
    with pytest.raises(UnspeakableText, match="it speaks: English"):
        engine.open(normalize(text, "en"), voice, SpeechOptions())


@pytest.mark.parametrize(
    ("text", "said_as", "unspoken"),
    [
        ("Say 你好 twice.", "Say twice.", ["你好"]),
        ("The angle θ is large.", "The angle theta is large.", []),
        ("他说 OK and left for 5 days.", "OK and left for five days.", ["他说"]),
        ("She said Привет to us.", "She said Privet to us.", []),
    ],
)
def test_letters_it_lacks_cost_themselves_only(
    engine: EmbeddedEngine, voice: EmbeddedVoice, text: str, said_as: str, unspoken: list[str]
) -> None:
    checked = engine.check(normalize(text), voice, SpeechOptions())
    assert checked.text == said_as
    assert [text[start:end] for start, end in checked.unspoken] == unspoken
    assert engine.open(checked, voice, SpeechOptions()).phonemes


@pytest.mark.parametrize("text", ["Step ⑴ is easy.", "①the", "a²b", "½½½", "x\u0301" * 30, "٣ ٤", "№ ℃ ㎏", "Ⅻ ㊀ ⓐ"])
def test_odd_signs_reach_it_as_words(engine: EmbeddedEngine, voice: EmbeddedVoice, text: str) -> None:
    stream = engine.open(normalize(text, "en"), voice, SpeechOptions())
    assert stream.sentence.text.isascii()
    assert not any(char.isdigit() for char in stream.sentence.text)


def test_another_language_that_was_asked_for_is_refused(engine: EmbeddedEngine, voice: EmbeddedVoice) -> None:
    with pytest.raises(UnspeakableText):
        engine.open(normalize("Hello"), voice, SpeechOptions(language="ja"))


def test_accents_are_no_obstacle(engine: EmbeddedEngine, voice: EmbeddedVoice) -> None:
    np.testing.assert_array_equal(said(engine, voice, "A café, naïve."), said(engine, voice, "A cafe, naive."))


def test_nothing_to_speak(engine: EmbeddedEngine, voice: EmbeddedVoice) -> None:
    with pytest.raises(EmptyInput):
        engine.open(SpokenText("", "", "en"), voice, SpeechOptions())


def test_an_unknown_voice_is_answered_with_the_known_ones(engine: EmbeddedEngine) -> None:
    with pytest.raises(UnknownVoice, match=engine.voices()[0].id):
        engine.load_voice("../../etc/passwd")


def test_words_are_measured_in_order_and_within_the_sound(engine: EmbeddedEngine, voice: EmbeddedVoice) -> None:
    text = "On May 5, 2024 she paid $3.50 for it."
    chunks = chunks_of(engine, voice, text)
    words = [word for chunk in chunks for word in chunk.words]
    assert [word.text for word in words] == [text[word.source_start : word.source_end] for word in words]
    assert " ".join(word.text for word in words).startswith("On May 5, 2024 she paid")
    assert not any(word.estimated for word in words)
    assert all(a.end_s <= b.start_s + 1e-6 for a, b in pairwise(words))
    assert words[0].start_s >= 0
    assert words[-1].end_s <= sum(chunk.duration_s for chunk in chunks) + 1e-6


@pytest.mark.parametrize("speed", [0.4, 1.0, 1.5, 3.0])
def test_words_are_where_the_sound_is(engine: EmbeddedEngine, voice: EmbeddedVoice, speed: float) -> None:
    """Between sentences there is silence, and where that is the samples themselves tell."""
    chunks = chunks_of(engine, voice, "Cat. Dogs. An elephant. Bird.", speed=speed)
    words = [word for chunk in chunks for word in chunk.words]
    assert [word.text for word in words] == ["Cat.", "Dogs.", "An", "elephant.", "Bird."]
    stretches = sound_of(np.concatenate([chunk.samples for chunk in chunks]), 4)
    for (begins_s, _), word in zip(stretches, [words[0], words[1], words[2], words[4]], strict=True):
        assert word.start_s == pytest.approx(begins_s, abs=0.1 / min(speed, 1.0))


def sound_of(samples: Samples, count: int) -> list[tuple[float, float]]:
    """(start_s, end_s) of the stretches of sound that the longest silences part."""
    frame = SAMPLE_RATE // 100
    loud = np.abs(samples[: len(samples) // frame * frame]).reshape(-1, frame).max(axis=1) > 0.01
    edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]]).astype(int)))
    silences = sorted(zip(edges[1:-1:2], edges[2::2], strict=True), key=lambda pair: pair[0] - pair[1])[: count - 1]
    places = [edges[0], *(place for pair in sorted(silences) for place in pair), edges[-1]]
    return [(places[at] / 100, places[at + 1] / 100) for at in range(0, len(places), 2)]


def test_a_graph_without_lengths_leaves_words_to_be_estimated(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hibari_network, "LENGTHS", "/of_another_export")
    voice = engine.load_voice(engine.voices()[0].id)
    words = [word for chunk in chunks_of(engine, voice, TEXT) for word in chunk.words]
    assert [word.text for word in words] == TEXT.split()
    assert all(word.estimated for word in words)


class Mallinfo(ctypes.Structure):
    """Of malloc.h: what the C library has handed out, among other things."""

    _fields_ = [
        (name, ctypes.c_size_t) for name in ["arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks"]
    ] + [(name, ctypes.c_size_t) for name in ["uordblks", "fordblks", "keepcost"]]


def handed_out_bytes() -> int:
    library = ctypes.CDLL(None)
    library.mallinfo2.restype = Mallinfo
    told = library.mallinfo2()
    return int(told.uordblks + told.hblkhd)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="glibc alone tells what it has handed out")
def test_a_long_step_keeps_nothing_for_itself(engine: EmbeddedEngine, voice: EmbeddedVoice) -> None:
    """What it takes is some twenty megabytes, and texts of strangers decide how many such steps meet."""
    chunks_of(engine, voice, "Good morning.")
    before = handed_out_bytes()
    chunks_of(engine, voice, "the river ran slowly to the sea and " * 6)
    assert handed_out_bytes() - before < 4 << 20


def test_silence_around_the_speech_is_cut(engine: EmbeddedEngine, voice: EmbeddedVoice) -> None:
    """The model puts 0.3 s before and 0.45 s after every sentence: pauses are the synthesizer's to make."""
    samples = said(engine, voice, "Good morning.")
    loud = np.flatnonzero(np.abs(samples) > 10 ** (-55 / 20))
    assert loud[0] < 0.05 * SAMPLE_RATE
    assert len(samples) - loud[-1] < 0.2 * SAMPLE_RATE


@pytest.mark.parametrize("speed", [0.25, 0.4, 0.5])
def test_what_is_said_slowly_is_made_in_no_larger_steps(
    engine: EmbeddedEngine, voice: EmbeddedVoice, speed: float
) -> None:
    """At a quarter of the speed one step made fifty seconds of sound, in half a second of a core."""
    text = "the river ran slowly to the sea and " * 6
    longest_s = max(chunk.duration_s for chunk in chunks_of(engine, voice, text))
    slow = chunks_of(engine, voice, text, speed=speed)
    assert max(chunk.duration_s for chunk in slow) < 1.2 * longest_s
    words = slow[-1].words
    assert [word.text for word in words] == text.split()
    assert all(one.start_s < other.start_s for one, other in pairwise(words))
    assert words[-1].end_s <= sum(chunk.duration_s for chunk in slow) + 1e-6


def test_a_long_sentence_is_spoken_to_its_end(engine: EmbeddedEngine, voice: EmbeddedVoice) -> None:
    """Longer than the model takes at once: it goes in clauses, and none is lost."""
    clauses = ["the river ran slowly to the sea", "the birds flew over the house", "we sat by the fire"] * 6
    text = ", ".join(clauses)
    chunks = chunks_of(engine, voice, text)
    assert len(chunks) > 1
    alone_s = sum(len(said(engine, voice, clause)) for clause in clauses[:3]) * 6 / SAMPLE_RATE
    assert sum(chunk.duration_s for chunk in chunks) == pytest.approx(alone_s, rel=0.25)
    words = chunks[-1].words
    assert [word.text.strip(",.") for word in words] == text.replace(",", "").split()


def test_a_long_sentence_is_cut_where_a_speaker_breathes(engine: EmbeddedEngine, voice: EmbeddedVoice) -> None:
    """At its commas, though a step had room for more words behind the last one."""
    clause = "the river ran past the old grey mill and slowly on to the sea"
    stream = engine.open(normalize(", ".join([clause] * 6)), voice, SpeechOptions(seed=7))
    assert len(stream.phonemes) == 3
    assert [string[-1] for string in stream.phonemes][:-1] == [",", ","]
    samples = said(engine, voice, ", ".join([clause] * 6))
    first_comma, cut = samples[2 * SAMPLE_RATE : 5 * SAMPLE_RATE], samples[6 * SAMPLE_RATE : 9 * SAMPLE_RATE]
    assert max(silences_s(cut)) == pytest.approx(max(silences_s(first_comma)), abs=0.1), "a breath like the model's own"


def silences_s(samples: Samples) -> list[float]:
    loud = np.flatnonzero(np.abs(samples) > 10 ** (-45 / 20))
    return list(np.diff(loud) / SAMPLE_RATE)


def test_a_sentence_of_usual_length_is_one_step(engine: EmbeddedEngine, voice: EmbeddedVoice) -> None:
    text = "She sells sea shells by the sea shore every morning and nobody ever asks her why she keeps on doing it."
    stream = engine.open(normalize(text), voice, SpeechOptions(seed=7))
    assert len(stream.phonemes) == 1
