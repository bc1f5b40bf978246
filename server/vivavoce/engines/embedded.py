"""The voice that speaks on any machine, offline: hibari-tts, American English, weights inside its package.

24 kHz, about a hundred times faster than real time on one core. Word times are the network's own, 25 ms exact. Used by
the synthesizer through `SpeechEngine`; further English voices of the same package appear at the next start once its
cache holds them.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vivavoce.audio.chunk import AudioChunk, Samples
from vivavoce.audio.silence import sounding
from vivavoce.audio.stretch import TimeStretcher
from vivavoce.config import VoiceSettings
from vivavoce.engines.hibari_network import HibariNetwork, Spectrum, word_shares
from vivavoce.engines.speech import SentenceStream, SpeechOptions, Stage, Voice, VoiceInfo
from vivavoce.errors import EmptyInput, EngineError, UnknownVoice, UnspeakableText, VoiceUnavailable
from vivavoce.progress import Progress
from vivavoce.text.language import speakable
from vivavoce.text.latin import in_latin, speaks_latin
from vivavoce.text.normalize import SpokenText, normalize
from vivavoce.text.timing import estimate_words, place_words
from vivavoce.words import WordTiming

SAMPLE_RATE = 24_000
NATIVE_SPEED = (0.5, 2.0)  # the model's own range; beyond it a time stretcher takes the rest
LANGUAGES = ("en",)
NOTHING = Spectrum((), np.zeros(1))  # of a string without a sign that the network knows
LONGEST_STEP = 160  # phonemes, 10 s of speech: 33 ms and then 23 ms; the package cuts at 400, and only at commas
PAUSES = (",", ";", ":", "—", ".", "!", "?")  # in a phoneme string, before a blank
BREATH = SAMPLE_RATE * 3 // 10  # samples of silence kept where a sentence is cut at one of them
STRETCHED = 4 * SAMPLE_RATE  # samples stretched in one step, about 40 ms


@dataclass(frozen=True, slots=True)
class EmbeddedVoice:
    """A loaded hibari model; its session and dictionary are shared by all streams."""

    id: str
    model: Any  # hibari.Hibari, for its front end
    network: HibariNetwork
    known: frozenset[str]  # signs of phonemes that the network has an id for
    memory_bytes: int = 40_000_000  # measured: session, dictionary and weights


@dataclass(slots=True)
class EmbeddedStream:
    """One sentence: the phoneme strings still to be spoken.

    Each takes two steps: "decode", the network makes a spectrum, and "vocode", the spectrum becomes samples. The first
    takes three fifths of the time. Beyond the model's own range of speeds further steps stretch the samples.
    """

    voice: EmbeddedVoice
    sentence: SpokenText
    phonemes: deque[str]
    speed: float
    seed: int
    stage: Stage = "decode"
    spectrum: tuple[str, Spectrum] | None = None  # a phoneme string and what the network made of it
    stretching: tuple[TimeStretcher, Samples] | None = None  # and what it has not taken yet
    spoken_samples: int = 0
    words: list[tuple[float, float]] | None = field(default_factory=list)  # (start, end) in samples; None: not told
    buffered_s: float = 0.0
    error: EngineError | None = None
    batch_key: object = field(default_factory=object)  # never batched: one call is faster than a batch would be

    def close(self) -> None:
        self.phonemes.clear()
        self.spectrum = self.stretching = None
        self.stage = "done"


class EmbeddedEngine:
    """hibari-tts behind the engine border."""

    name = "embedded"
    sample_rate = SAMPLE_RATE
    max_batch = 1

    def __init__(self) -> None:
        self._g2p_lock = threading.Lock()  # its dictionary look-ups share a cache
        self._installed = tuple(_installed_voices())  # once: listings are asked for on the event loop

    def voices(self) -> list[VoiceInfo]:
        return [
            VoiceInfo(voice_id, f"{voice_id.capitalize()} ({accent})", LANGUAGES, self.name, SAMPLE_RATE)
            for voice_id, accent in self._installed
        ]

    def load_voice(self, voice_id: str, progress: Progress | None = None) -> EmbeddedVoice:
        known = [installed for installed, _ in self._installed]
        if voice_id not in known:
            raise UnknownVoice(voice_id, known)
        try:
            from hibari import Hibari

            model = Hibari(voice=voice_id, threads=1)
            network = HibariNetwork(Path(model.model_path), threads=1)
            signs = frozenset(model.vocab)
            del model.sess  # the one above says more
            for phonemes in model.phonemize("Warm up."):  # reads the dictionary now, not at the first request
                network.run(model.ids(phonemes), 1.0)
        except Exception as error:  # whatever a third-party loader raises, the other voices keep speaking
            raise VoiceUnavailable(f"voice '{voice_id}' cannot be loaded: {error}", param="voice") from error
        return EmbeddedVoice(voice_id, model, network, signs)

    def unload_voice(self, voice: Voice) -> None:
        """Nothing to do: the session dies with its last reference."""

    def check(self, sentence: SpokenText, voice: Voice, options: SpeechOptions) -> SpokenText:
        if options.language not in ("auto", *LANGUAGES) or (
            speakable(sentence.text) and not speaks_latin(sentence.text)
        ):
            raise UnspeakableText(voice.id, ("English",))
        if sentence.language not in LANGUAGES:  # a few words of English in a text of another script
            sentence = normalize(sentence.source, "en")
        return in_latin(sentence)

    def open(self, sentence: SpokenText, voice: Voice, options: SpeechOptions) -> EmbeddedStream:
        assert isinstance(voice, EmbeddedVoice)
        said = self.check(sentence, voice, options)
        with self._g2p_lock:  # plain letters and marks only: whatever else there is, its own rules would guess at
            strings = voice.model.phonemize(said.text)
        longest = round(LONGEST_STEP * min(1.0, _native(options.speed)))  # what is said slowly takes longer to compute
        phonemes = deque(part for string in strings for part in _in_steps(string, longest))
        if not phonemes:
            raise EmptyInput
        seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4))
        return EmbeddedStream(voice, said, phonemes, options.speed, seed)

    def step(self, streams: Sequence[SentenceStream], *, threads: int) -> list[AudioChunk | None]:
        return [self._advance(stream) for stream in streams]

    def _advance(self, stream: SentenceStream) -> AudioChunk | None:
        """Half of the way to the next phoneme string (a whole sentence, or a clause of a very long one)."""
        assert isinstance(stream, EmbeddedStream)
        if stream.stretching is not None:
            return self._stretched(stream)
        if stream.spectrum is not None:
            return self._sound(stream)
        if not stream.phonemes:
            stream.stage = "done"
            return None
        phonemes = stream.phonemes.popleft()
        ids = stream.voice.model.ids(phonemes)
        made = stream.voice.network.run(ids, _native(stream.speed)) if len(ids) > 2 else NOTHING
        stream.spectrum, stream.stage = (phonemes, made), "vocode"
        return None

    def _sound(self, stream: EmbeddedStream) -> AudioChunk | None:
        """The samples of the spectrum that is there."""
        assert stream.spectrum is not None
        phonemes, spectrum = stream.spectrum
        stream.spectrum = None
        whole = _samples(spectrum, stream.seed)
        kept = sounding(whole, SAMPLE_RATE)  # the model puts 0.3 s before a sentence and 0.45 s after it
        if stream.phonemes and phonemes.endswith(PAUSES):  # the model's own comma is half a second of silence
            kept = slice(kept.start, kept.stop + BREATH)
        tempo = stream.speed / _native(stream.speed)
        shares = word_shares(phonemes, stream.voice.known, spectrum)
        if shares is None or stream.words is None:
            stream.words = None
        else:
            origin, length = stream.spoken_samples - kept.start / tempo, len(whole) / tempo
            stream.words += [(origin + start * length, origin + end * length) for start, end in shares]
        if tempo == 1.0:
            return self._spoken(stream, whole[kept])
        stream.stretching = TimeStretcher(SAMPLE_RATE, tempo), whole[kept]
        return None

    def _stretched(self, stream: EmbeddedStream) -> AudioChunk:
        """Some more of what is spoken faster or slower than the model can."""
        assert stream.stretching is not None
        stretcher, samples = stream.stretching
        made, rest = stretcher.process(samples[:STRETCHED]), samples[STRETCHED:]
        if len(rest):
            stream.stretching = stretcher, rest
            stream.spoken_samples += len(made)
            return AudioChunk(made, SAMPLE_RATE)
        stream.stretching = None
        return self._spoken(stream, np.concatenate([made, stretcher.flush()]))

    def _spoken(self, stream: EmbeddedStream, samples: Samples) -> AudioChunk:
        """The last samples of a phoneme string."""
        stream.spoken_samples += len(samples)
        if stream.phonemes:
            stream.stage = "decode"
            return AudioChunk(samples, SAMPLE_RATE)
        stream.stage = "done"  # the words come with the last chunk: only now is the sentence's length known
        return AudioChunk(samples, SAMPLE_RATE, _words(stream))


def open_engine(settings: VoiceSettings) -> EmbeddedEngine:
    """The engine, for the registry; ImportError where hibari-tts is not installed."""
    import hibari  # noqa: F401

    return EmbeddedEngine()


def _native(speed: float) -> float:
    return min(max(speed, NATIVE_SPEED[0]), NATIVE_SPEED[1])


def _samples(spectrum: Spectrum, seed: int) -> Samples:
    """float32 [n] of a spectrum."""
    from hibari import dsp

    if not spectrum.arrays:  # of nothing the model knows a sign for
        return np.zeros(0, np.float32)
    samples: Samples = dsp.synth(*spectrum.arrays, np.random.default_rng(seed))  # float32 [n]
    return samples


def _words(stream: EmbeddedStream) -> tuple[WordTiming, ...]:
    duration_s = stream.spoken_samples / SAMPLE_RATE
    if stream.words is None:
        return estimate_words(stream.sentence, duration_s)
    return place_words(stream.sentence, [(at / SAMPLE_RATE, to / SAMPLE_RATE) for at, to in stream.words], duration_s)


def _installed_voices() -> list[tuple[str, str]]:
    """(id, accent) of the packaged voice and of those in hibari's own cache; asks no network."""
    from hibari.voices import DEFAULT, VOICES, voice_path

    def is_here(name: str) -> bool:
        try:
            return os.path.exists(voice_path(name, download_missing=False))
        except FileNotFoundError:
            return False

    names = [DEFAULT, *(name for name in VOICES if name != DEFAULT and is_here(name))]
    return [(name, "British English" if VOICES[name]["british"] else "American English") for name in names]


def _in_steps(phonemes: str, longest: int) -> Iterator[str]:
    """A phoneme string in parts that one step speaks, cut at a comma or else between words.

    Words spelled letter by letter grow once more in here.
    """
    while len(phonemes) > longest:
        cut = 1 + max(phonemes.rfind(mark + " ", longest // 2, longest) for mark in PAUSES)
        cut = cut or phonemes.rfind(" ", longest // 2, longest)
        cut = cut if cut > 0 else longest
        yield phonemes[:cut]
        phonemes = phonemes[cut:].lstrip()
    if phonemes:
        yield phonemes
