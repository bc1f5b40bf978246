"""ChatTTS behind the engine border: English and Chinese by the package `chattts`, its own chunks as they are made.

Extra `[chattts]` (the package is AGPL-3.0, its weights CC BY-NC 4.0; it brings torch). The weights are not in the
package: they lie in the folder `chattts` of the data folder, or the voice is listed with what is missing. A seed is a
speaker: `chattts/7`, or the request's `seed`. The package keeps one switch for all that it speaks, and torch one source
of chance, so its steps take turns; one step is a few tokens.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vivavoce.audio.chunk import AudioChunk
from vivavoce.audio.resample import EMPTY
from vivavoce.audio.stretch import TimeStretcher
from vivavoce.config import VoiceSettings
from vivavoce.engines.speech import SentenceStream, SpeechOptions, Stage, Voice, VoiceInfo
from vivavoce.errors import EmptyInput, EngineError, GenerationFailed, UnknownVoice, UnspeakableText, VoiceUnavailable
from vivavoce.progress import Progress
from vivavoce.text.chinese_figures import say_figures
from vivavoce.text.normalize import SpokenText
from vivavoce.text.timing import estimate_words

NAME = "chattts"
SAMPLE_RATE = 24_000
LANGUAGES = ("en", "zh")
REPOSITORY, REVISION = "2Noise/ChatTTS", "1a3c04a8"
SPEAKERS = tuple(str(seed) for seed in range(1, 33))  # seeds that have a name; any other comes with `seed`
STREAM_TOKENS = 8  # of a step: fewer are heard sooner, and each time all so far is decoded again
AHEAD_TOKENS = 48  # made before their sound is final: as many as in the package's own stream; its decoder looks so far
TOKEN_SAMPLES = 512
MAX_TOKENS = 1024  # of a sentence: about 22 s
NEEDED = tuple(
    f"asset/{part}"
    for part in (
        "Vocos.safetensors",
        "DVAE.safetensors",
        "gpt",
        "Decoder.safetensors",
        "tokenizer",
        "Embed.safetensors",
    )
)
MISSING = (
    f"its weights are missing: `hf download {REPOSITORY} --revision {REVISION} --local-dir chattts` in the data folder "
    "(2.3 GB, CC BY-NC 4.0)"
)

_SPOKEN = re.compile("[A-Za-z\u4e00-\u9fff]")  # all that the package reads, but for commas and full stops
_NO_MARKS = str.maketrans("[]", "  ")


@dataclass(frozen=True, slots=True)
class ChatTTSVoice:
    """The loaded networks, and the lock under which they compute."""

    id: str
    chat: Any  # ChatTTS.Chat
    lock: threading.Lock = field(default_factory=threading.Lock)
    speakers: dict[int, str] = field(default_factory=dict)  # seed -> the package's own form of a speaker
    memory_bytes: int = 0


@dataclass(slots=True)
class ChatTTSStream:
    """One sentence: the package's generator, and how fast it is to be heard."""

    voice: ChatTTSVoice
    sentence: SpokenText
    parts: Iterator[Any] | None  # None: not begun
    wishes: Any  # ChatTTS.Chat.InferCodeParams, once begun
    seed: int
    options: SpeechOptions
    stretcher: TimeStretcher
    stage: Stage = "decode"
    steps: int = 0
    spoken_samples: int = 0
    buffered_s: float = 0.0
    error: EngineError | None = None
    batch_key: object = field(default_factory=object)  # never batched

    def close(self) -> None:
        self.stage = "done"
        parts, self.parts = self.parts, None
        if parts is not None and hasattr(parts, "close"):
            with self.voice.lock:
                parts.close()


class ChatTTSEngine:
    """The ChatTTS package as a `SpeechEngine`.

    Args:
        weights: folder of what the hub has under `REPOSITORY`.
    """

    name = NAME
    sample_rate = SAMPLE_RATE
    max_batch = 1

    def __init__(self, weights: Path) -> None:
        self._weights = weights
        self._problem = None if all((weights / part).exists() for part in NEEDED) else MISSING  # once: not at listings

    def voices(self) -> list[VoiceInfo]:
        return [VoiceInfo(NAME, "ChatTTS", LANGUAGES, NAME, SAMPLE_RATE, references=SPEAKERS, problem=self._problem)]

    def load_voice(self, voice_id: str, progress: Progress | None = None) -> ChatTTSVoice:
        if voice_id != NAME:
            raise UnknownVoice(voice_id, [NAME])
        if self._problem is not None:
            raise VoiceUnavailable(f"voice '{NAME}' is not available: {self._problem}", param="voice")
        if progress is not None:
            progress("loading ChatTTS", 0.1)
        try:
            import ChatTTS

            chat = ChatTTS.Chat(_Mute(NAME))
            loaded = chat.load(source="custom", custom_path=str(self._weights), compile=False)
        except Exception as error:  # whatever a third-party loader raises, the other voices keep speaking
            reason = type(error).__name__
            raise VoiceUnavailable(f"voice '{NAME}' cannot be loaded ({reason})", param="voice") from error
        if not loaded:
            raise VoiceUnavailable(f"voice '{NAME}' cannot be loaded: its weights are damaged", param="voice")
        return ChatTTSVoice(NAME, chat, memory_bytes=_bytes_of(chat))

    def unload_voice(self, voice: Voice) -> None:
        if isinstance(voice, ChatTTSVoice):
            with voice.lock:
                voice.chat.unload()

    def check(self, sentence: SpokenText, voice: Voice, options: SpeechOptions) -> SpokenText:
        if sentence.language not in LANGUAGES or options.language not in ("auto", *LANGUAGES):
            raise UnspeakableText(voice.id, ("English", "Chinese"))
        return sentence

    def open(self, sentence: SpokenText, voice: Voice, options: SpeechOptions) -> ChatTTSStream:
        assert isinstance(voice, ChatTTSVoice)
        sentence = self.check(sentence, voice, options)
        if not _SPOKEN.search(_written(sentence)):
            raise EmptyInput
        seed = options.seed if options.seed is not None else _seed_of(options.reference)
        return ChatTTSStream(voice, sentence, None, None, seed, options, TimeStretcher(SAMPLE_RATE, options.speed))

    def step(self, streams: Sequence[SentenceStream], *, threads: int) -> list[AudioChunk | None]:
        return [self._advance(stream, threads) for stream in streams]

    def _advance(self, stream: SentenceStream, threads: int) -> AudioChunk | None:
        assert isinstance(stream, ChatTTSStream)
        if stream.stage == "done":
            return None
        with stream.voice.lock, _chance(stream.seed, stream.steps, threads):
            try:
                if stream.parts is None:
                    stream.wishes = _wishes(stream)
                    stream.parts = _parts(stream)
                # What its decoder has not seen the future of is kept back; the package reads this at every step.
                ready = stream.steps >= AHEAD_TOKENS // STREAM_TOKENS
                stream.wishes.stream_speed = STREAM_TOKENS * TOKEN_SAMPLES if ready else 0
                stream.steps += 1
                part = next(stream.parts, None)
            except Exception as error:  # its words may quote the text
                raise GenerationFailed(f"ChatTTS failed on this sentence ({type(error).__name__})") from None
        if part is None:
            return self._end(stream)
        samples = stream.stretcher.process(np.ascontiguousarray(np.asarray(part, np.float32).reshape(-1)))
        stream.spoken_samples += len(samples)
        return AudioChunk(samples, SAMPLE_RATE) if len(samples) else None

    def _end(self, stream: ChatTTSStream) -> AudioChunk | None:
        stream.stage, stream.parts = "done", None
        tail = stream.stretcher.flush() if stream.spoken_samples else EMPTY
        stream.spoken_samples += len(tail)
        if not stream.spoken_samples:
            raise GenerationFailed("ChatTTS made no sound of this sentence")
        return AudioChunk(tail, SAMPLE_RATE, estimate_words(stream.sentence, stream.spoken_samples / SAMPLE_RATE))


def open_engine(settings: VoiceSettings) -> ChatTTSEngine:
    """The engine, for the registry; ImportError where the package is not installed."""
    if importlib.util.find_spec("ChatTTS") is None:
        raise ImportError("pip install 'vivavoce[chattts]'")
    return ChatTTSEngine(settings.data_dir / NAME)


def _seed_of(reference: str | None) -> int:
    """The seed a speaker's name means; without one, chance."""
    return int(reference) if reference is not None and reference.isdigit() else int.from_bytes(os.urandom(4))


def _speaker(voice: ChatTTSVoice, seed: int) -> str:
    """The package's form of the speaker that a seed is; under the voice's lock."""
    if seed not in voice.speakers:
        import torch

        with torch.random.fork_rng():
            torch.manual_seed(seed)
            if len(voice.speakers) >= 256:
                voice.speakers.clear()
            voice.speakers[seed] = voice.chat.sample_random_speaker()
    return voice.speakers[seed]


def _wishes(stream: ChatTTSStream) -> Any:
    """The package's parameters; under the voice's lock."""
    import ChatTTS

    options = stream.options
    asked = {"temperature": options.temperature, "top_P": options.top_p, "top_K": options.top_k}
    asked["repetition_penalty"] = options.repetition_penalty
    return ChatTTS.Chat.InferCodeParams(
        spk_emb=_speaker(stream.voice, stream.seed),
        stream_batch=STREAM_TOKENS,
        pass_first_n_batches=0,
        max_new_token=MAX_TOKENS,
        show_tqdm=False,
        **{name: value for name, value in asked.items() if value is not None},
    )


def _parts(stream: ChatTTSStream) -> Iterator[Any]:
    """The package's stream; it ends with one part more than it has steps."""
    parts: Iterator[Any] = stream.voice.chat.infer(
        _written(stream.sentence),
        stream=True,
        lang=stream.sentence.language,
        skip_refine_text=True,
        do_text_normalization=False,  # it has been done
        split_text=False,
        params_infer_code=stream.wishes,
    )
    return parts


def _written(sentence: SpokenText) -> str:
    """The sentence as the package reads it: it drops figures and accents without a word, and obeys what is in []."""
    text = say_figures(sentence.text) if sentence.language == "zh" else sentence.text
    apart = unicodedata.normalize("NFKD", text)
    return "".join(char for char in apart if not unicodedata.combining(char)).translate(_NO_MARKS)


@contextmanager
def _chance(seed: int, step: int, threads: int) -> Iterator[None]:
    """Torch, for one step: its random numbers are this sentence's own, whoever else is spoken in between."""
    import torch

    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    with torch.random.fork_rng():
        torch.manual_seed((seed * 1_000_003 + step) % 2**63)
        yield


def _bytes_of(chat: Any) -> int:
    networks = [getattr(chat, name, None) for name in ("vocos", "dvae", "gpt", "embed", "decoder")]
    return sum(weight.nbytes for network in networks if network is not None for weight in network.parameters())


class _Mute(logging.Logger):
    """What the package writes into a log is the text that it speaks."""

    def isEnabledFor(self, level: int) -> bool:
        return False
