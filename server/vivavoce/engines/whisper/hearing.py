"""One segment on its way from sound to words: what was fed, what is being made of it, and when to hear it again.

An `_Attempt` hears the sound as it was at one moment, in a window as short as it is or in the whole one. `Hearing` is
the stream of the border: it begins attempts, drops them, and decides which one is the result. `recognizer.py` steps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.audio.mel import FRAMES_PER_S, HOP, SAMPLE_RATE, log_mel
from vivavoce.engines.recognizer import Heard, HeardToken, HeardWord, HearingOptions, HearingStage
from vivavoce.engines.whisper import guards
from vivavoce.engines.whisper.decoder import Answer, Ask, Memory
from vivavoce.engines.whisper.decoding import Decoding, likeliest, probability
from vivavoce.engines.whisper.encoder import Encoding
from vivavoce.engines.whisper.loaded_model import WhisperModel
from vivavoce.engines.whisper.pauses import pauses_of, settle
from vivavoce.engines.whisper.weights import Array
from vivavoce.engines.whisper.word_times import align, words_of
from vivavoce.errors import EngineError

MAX_SEGMENT_S = 30.0
SILENCE_S = 1.0  # behind the sound, in the window
LOUDEST = 8.0  # full scale is 1; a file of floats may hold anything


class Hearing:
    """A `HearingStream`.

    Args:
        model: what hears.
        options: checked.
    """

    error: EngineError | None = None

    def __init__(self, model: WhisperModel, options: HearingOptions) -> None:
        self.model, self.options = model, options
        self._sound = np.empty(4 * SAMPLE_RATE, np.float32)
        self._count = 0  # samples fed
        self._attempt: Attempt | None = None  # under way, or a draft that is done
        self._doubted: Attempt | None = None  # what the whole window is to do better
        self._ended = self._closed = False

    # -- the border ----------------------------------------------------------------------------------------------

    @property
    def stage(self) -> HearingStage:
        if self._closed:
            return "done"
        attempt = self._attempt
        if attempt is None or (attempt.result is not None and not self._ended):
            return "waiting"
        return attempt.stage

    @property
    def batch_key(self) -> object:
        """Decoding goes together, an encoder takes one window at a time."""
        return id(self.model) if self.stage == "decode" else id(self)

    @property
    def heard_s(self) -> float:
        return self._count / SAMPLE_RATE

    def feed(self, samples: Samples) -> None:
        if self._ended or self._closed:
            raise ValueError("the segment has ended")
        count = self._count + len(samples)
        if count > MAX_SEGMENT_S * SAMPLE_RATE:
            raise ValueError(f"the segment is too long: more than {MAX_SEGMENT_S:g} s")
        if count > len(self._sound):
            grown = np.empty(max(count, 2 * len(self._sound)), np.float32)
            grown[: self._count] = self._sound[: self._count]
            self._sound = grown
        self._sound[self._count : count] = np.nan_to_num(np.clip(samples, -LOUDEST, LOUDEST))
        self._count = count

    def draft(self) -> None:
        if self._count and not self._ended and not self._closed:
            self._begin()

    def end(self) -> None:
        if self._ended or self._closed:
            return
        self._ended = True
        if self._attempt is None or self._attempt.samples != self._count:
            self._begin()

    def close(self) -> None:
        self._closed = True
        self._attempt = self._doubted = None
        self._sound = np.empty(0, np.float32)

    # -- for the recognizer --------------------------------------------------------------------------------------

    @property
    def attempt(self) -> Attempt:
        """The try that the next step advances."""
        assert self._attempt is not None
        return self._attempt

    def told(self) -> Heard:
        """What is known after a step of decoding; begins anew where the result is not to be believed."""
        attempt = self.attempt
        if attempt.result is None:
            return attempt.so_far()
        if not self._ended:
            return attempt.result
        if (attempt.is_wrong or attempt.is_unsure) and not attempt.has_whole_window:
            self._doubted = attempt
            self._begin(whole_window=True, written=attempt.settled, is_prompted=not attempt.is_wrong)
            return attempt.so_far()
        best = attempt if self._doubted is None else _better(self._doubted, attempt)
        assert best.result is not None
        self.close()
        return replace(best.result, is_final=True)

    def failed(self, error: EngineError) -> None:
        """Nothing more comes of it."""
        self.close()
        self.error = error

    def _begin(
        self, whole_window: bool = False, written: Sequence[HeardToken] = (), *, is_prompted: bool = True
    ) -> None:
        """Args: is_prompted: False after a wrong text; a prompt that says one thing over and over makes loops."""
        options = self.options if is_prompted else replace(self.options, prompt="", hotwords=())
        self._attempt = Attempt(self.model, options, self._sound[: self._count], whole_window, written)


class Attempt:
    """One try to understand a sound, from its mel bands to its words.

    Args:
        sound: float32 [n], 16 kHz; read when it begins to be encoded, so it may grow behind n.
        whole_window: as whisper was trained; else as long as the sound, with the silent tail.
        written: what an attempt before has told already: the text begins with it.

    Attributes:
        stage: "encode" or "decode".
        samples: of sound.
        settled: tokens of the beginning that may be told, where they are asked for: `guards.settled`, whole characters.
        result: once it is whole.
        is_wrong: the result cannot be what was said.
        is_unsure: the model did not think much of it.
    """

    def __init__(
        self,
        model: WhisperModel,
        options: HearingOptions,
        sound: Samples,
        whole_window: bool,
        written: Sequence[HeardToken] = (),
    ) -> None:
        self._model, self._options = model, options
        self._sound, self.samples = sound, len(sound)
        self.has_whole_window = whole_window
        self.stage: HearingStage = "encode" if len(sound) >= HOP else "decode"
        self.result: Heard | None = None
        self.is_wrong = self.is_unsure = False
        self._encoding: Encoding | None = None
        self._memory: Memory | None = None
        self._language, self._language_probability = options.language or "", 1.0
        self._no_speech_prob = 0.0
        self._scores: list[Array] = []  # of each token and the end
        self._is_asked = False
        self._is_bound = bool(written)  # and may not be the one that counts in the end: it settles nothing more
        self.settled = tuple(written)
        self.decoding = Decoding(
            model.rules,
            min(guards.most_tokens(self._seconds), model.shape.text_positions // 2),
            options.temperature,
            options.seed,
            [(token.id, token.logprob) for token in written],
            guards.most_repeated(self._seconds),
        )

    @property
    def _seconds(self) -> float:
        return self.samples / SAMPLE_RATE

    # -- encoding ------------------------------------------------------------------------------------------------

    def encode(self, threads: int) -> None:
        """One step of the encoder; behind the last one stands what the decoder looks at."""
        if self._encoding is None:
            self._encoding = Encoding(self._features())
        if not self._model.encoder.advance(self._encoding, threads):
            return
        cross = self._model.encoder.cross(self._encoding.hidden, threads)
        self._encoding = None
        plain = np.zeros(cross.shape[3], np.float32)
        if not self._language:
            self._detect(Memory.of(self._model.shape, cross, plain, 1), threads)  # the tail would make it English
        self.has_whole_window = cross.shape[3] == self._model.shape.audio_positions
        cross, bias = (cross, plain) if self.has_whole_window else self._model.tail.behind(cross)
        sound = min(-(-self.samples // (2 * HOP)), cross.shape[3])
        self._memory = Memory.of(self._model.shape, cross, bias, sound)
        self.stage = "decode"

    def _features(self) -> Array:
        shape, seconds = self._model.shape, self._seconds
        window_s = 2 * shape.audio_positions / FRAMES_PER_S
        shortest_s = (2 * self._model.tail.first + 2) / FRAMES_PER_S
        wanted_s = window_s if self.has_whole_window else min(window_s, max(seconds + SILENCE_S, shortest_s))
        features = log_mel(self._sound, shape.bins, pad_s=wanted_s - seconds)
        return features[:, : features.shape[1] // 2 * 2]

    def _detect(self, memory: Memory, threads: int) -> None:
        known = self._model.vocabulary.languages
        allowed = [code for code in self._options.languages if code in known] or list(known)
        (answer,) = self._model.decoder.run([Ask(memory, self._model.vocabulary.start())], threads)
        best, self._language_probability = likeliest(answer.logits[0], [known[code] for code in allowed])
        self._language = allowed[best]

    # -- decoding ------------------------------------------------------------------------------------------------

    def ask(self) -> Ask | None:
        """What the decoder is to go through next; None where there is nothing to hear."""
        if self._memory is None:
            self._language = self._language or next(iter(self._model.languages))
            self._finish("", nothing=True)
            return None
        if self._is_asked:
            return Ask(self._memory, self.decoding.tokens[-1:])
        command = self._model.vocabulary.command(self._language, self._options)
        place = self._model.vocabulary.start_place(command)
        return Ask(self._memory, [*command, *self.decoding.tokens], (place, -1))

    def answered(self, answer: Answer) -> None:
        """Take the decoder's answer: the next token is written."""
        if not self._is_asked:
            self._is_asked = True
            self._no_speech_prob = probability(answer.logits[0], self._model.vocabulary.no_speech)
        if self._options.word_times:
            self._scores.append(answer.scores)
        self.decoding.take(answer.logits[-1])
        if self._options.as_it_comes and not self._is_bound:
            self._settle()
        if self.decoding.is_over:
            self._conclude()

    def _settle(self) -> None:
        tokens, logprobs = self.decoding.tokens, self.decoding.logprobs
        count = guards.settled(tokens, logprobs, self._no_speech_prob, self._language)
        while count > len(self.settled) and not self._model.vocabulary.is_whole(tokens[:count]):
            count -= 1
        if count > len(self.settled):
            self.settled = self._told(count)

    def _conclude(self) -> None:
        text = self._text()
        sure = self.decoding.avg_logprob
        self.is_wrong = self.decoding.looped or guards.is_wrong(text, self._seconds)
        if self._options.prompt or self._options.hotwords:  # they may be why nothing was written
            self.is_wrong = self.is_wrong or not guards.has_words(text)
        self.is_unsure = guards.is_unsure(sure, self._language)
        nothing = not self.settled and guards.is_nothing(text, sure, self._no_speech_prob)
        self._finish(text, nothing=nothing)

    def _text(self) -> str:
        pieces = map(self._model.vocabulary.piece, self.decoding.tokens)
        return b"".join(pieces).decode(errors="replace").strip()

    # -- what was heard ------------------------------------------------------------------------------------------

    def so_far(self) -> Heard:
        """The text while it is being written."""
        text = self._model.vocabulary.text(self.decoding.tokens).strip()
        return Heard(text, False, False, self._language, self._language_probability, self._seconds, tokens=self.settled)

    def _told(self, count: int) -> tuple[HeardToken, ...]:
        written = zip(self.decoding.tokens[:count], self.decoding.logprobs, strict=False)
        return tuple(HeardToken(token, self._model.vocabulary.piece(token), logprob) for token, logprob in written)

    def _finish(self, text: str, *, nothing: bool) -> None:
        self._memory = None
        tokens = () if nothing else self._told(len(self.decoding.tokens))
        words: tuple[HeardWord, ...] = ()
        if tokens and self._options.word_times:
            times = align(self._scores[: len(tokens) + 1])
            words = words_of(tokens, times, self._language, self._seconds)
            words = settle(words, pauses_of(self._sound), self._seconds)
        self.result = Heard(
            text="" if nothing else text,
            is_whole=True,
            is_final=False,
            language=self._language,
            language_probability=self._language_probability,
            duration_s=self._seconds,
            words=words,
            tokens=tokens,
            avg_logprob=self.decoding.avg_logprob,
            no_speech_prob=self._no_speech_prob,
            temperature=self._options.temperature,
            is_translated=self._model.vocabulary.task(self._language, self._options) == "translate",
            closed=self.decoding.closed if tokens else None,
            marked=self.decoding.marked if tokens else None,
        )


def _better(first: Attempt, second: Attempt) -> Attempt:
    """The second, which saw the whole window, unless only the first makes sense or English was surer of itself."""
    assert first.result is not None
    assert second.result is not None
    if first.is_wrong or second.is_wrong:
        return first if second.is_wrong and not first.is_wrong else second
    is_english = first.result.language == second.result.language == "en"
    return first if is_english and first.result.avg_logprob > second.result.avg_logprob else second
