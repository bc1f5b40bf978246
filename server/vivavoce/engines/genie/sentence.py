"""One sentence on its way from phonemes to sound: what it holds, and what its next step would do.

    prefill   the prompt is read, the first token drawn
    decode    one more semantic token
    vocode    frames are committed, or committed frames become sound, a few at a time
    done      the last chunk has left

Two rules decide when to vocode. A sentence with a seed the caller chose commits as soon as a chunk is there, so that
the same seed gives the same sound on any machine under any load. One without waits until the listener is about to
need it: the tokens run ahead meanwhile, and what is committed knows more of what follows. Its tokens are also drawn
while it vocodes, in passes that other sentences ask for: what is committed is decided between two passes.

Made and advanced by `engine.py`; knows no clock and no other sentence.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from vivavoce.audio.chunk import AudioChunk, Samples
from vivavoce.engines.genie.reading.words import SentenceWords
from vivavoce.engines.genie.semantic.model import SemanticState
from vivavoce.engines.genie.shape import FRAME_S, LATENT_WIDTH, SAMPLE_RATE_HZ, TOKENS_PER_SECOND
from vivavoce.engines.genie.sound.chunking import ChunkPolicy
from vivavoce.engines.genie.sound.latent import LatentStream
from vivavoce.engines.genie.sound.vocoder import Latent, VocoderState
from vivavoce.engines.genie.voice import GenieVoice
from vivavoce.engines.speech import Stage
from vivavoce.errors import EngineError

FADE_SAMPLES = 160  # 5 ms, where a sentence is cut rather than ended


@dataclass(slots=True, eq=False)
class GenieSentence:
    """The state of one sentence.

    Attributes:
        voice: speaks it.
        semantic: its tokens.
        latent: its frames.
        vocoder: what lies between its chunks.
        words: where its words are heard.
        policy: when and how much to vocode.
        is_seeded: the caller chose the seed; the sound must not depend on timing.
        stage: what its next step does.
        buffered_s: sound the listener still has, told by the scheduler.
        pending: committed frames that are not sound yet, float32 [1, 192, n].
        chunks: commits so far.
        samples: made so far.
        silent_s: steps have taken that long and nothing was heard yet.
        error: set where it alone failed.
    """

    voice: GenieVoice
    semantic: SemanticState
    latent: LatentStream
    vocoder: VocoderState
    words: SentenceWords
    policy: ChunkPolicy
    is_seeded: bool
    stage: Stage = "prefill"
    buffered_s: float = 0.0
    pending: Latent | None = None
    chunks: int = 0
    samples: int = 0
    silent_s: float = 0.0
    error: EngineError | None = None
    _is_open: bool = field(default=True)

    @property
    def batch_key(self) -> object:
        """Sentences of a voice share a pass over its weights while they decode; everything else goes alone."""
        return self.voice if self.stage == "decode" else self

    def read_prompt(self, threads: int) -> None:
        """Prefill: read reference and phonemes, and draw the first semantic token."""
        self.voice.semantic.prefill(self.semantic, threads=threads)
        self.choose_stage()

    def choose_stage(self) -> None:
        """Set what comes next, after anything has changed."""
        is_due = self.pending is not None or self._has_ended or self._frames_to_commit() > 0
        self.stage = "vocode" if is_due else "decode"

    def vocode(self, threads: int) -> AudioChunk | None:
        """Turn the next few frames into sound, committing a chunk of them first where none are pending.

        None where the listener's buffer has grown since this stage was chosen: rather make more tokens first.
        """
        if self.pending is None:
            self._commit(threads)
        if self.pending is None:
            self.stage = "decode"
            return None
        frames = self._next_frames()
        is_last = self.pending is None and self._is_whole
        made, self.vocoder = self.voice.vocoder.decode(frames, self.vocoder, flush=is_last, threads=threads)
        self.samples += len(made)
        if is_last:
            return self._finish(made)
        self.choose_stage()
        words = self.words.known(self.latent.attention, self.samples / SAMPLE_RATE_HZ) if self.pending is None else ()
        return AudioChunk(made, SAMPLE_RATE_HZ, words)

    def note(self, took_s: float, chunk: AudioChunk | None) -> None:
        """Take the time of a step, and what it made: later sentences are planned by it."""
        pace = self.voice.pace
        if self.samples == 0 or (chunk is not None and len(chunk.samples) == self.samples):
            self.silent_s += took_s
            if self.samples:
                pace = pace.after_opening(self.silent_s)
        if chunk is not None and len(chunk.samples):
            pace = pace.after_step(took_s)
        self.voice.pace = pace

    def close(self) -> None:
        """Stop and free; any number of times."""
        self.stage = "done"
        self.voice.semantic.close(self.semantic)
        self.pending = None
        with self.voice.lock:
            self.voice.open_sentences -= self._is_open
            self._is_open = False

    @property
    def _has_ended(self) -> bool:
        """No further token will come."""
        return self.semantic.ended is not None

    @property
    def _is_whole(self) -> bool:
        """Every frame there will ever be is committed."""
        return self._has_ended and self.latent.committed == self.latent.total_frames(len(self.semantic.tokens))

    def _frames_to_commit(self) -> int:
        final = self._has_ended
        return self.policy.next(
            self.chunks,
            self.latent.available(len(self.semantic.tokens), final=final),
            final=final,
            buffered_s=0.0 if self.is_seeded else self.buffered_s,
            pace=self.voice.pace,
        )

    def _commit(self, threads: int) -> None:
        """Fix the latent frames of the next chunk, if it is due.

        After the last frame there is nothing to fix: the vocoder then gets a chunk of no frames, which makes it give
        out the sound it still holds back.
        """
        with self.voice.semantic.between_passes():
            tokens, final, frames = tuple(self.semantic.tokens), self._has_ended, self._frames_to_commit()
            heard_s = (self.latent.committed + frames) * FRAME_S * self.words.speed
            self.semantic.committed = min(len(tokens), int(np.ceil(heard_s * TOKENS_PER_SECOND)))
        if frames:
            self.pending = self.latent.commit(tokens, frames, final=final, threads=threads)
            self.chunks += 1
        elif final:
            self.pending = np.zeros((1, LATENT_WIDTH, 0), np.float32)

    def _next_frames(self) -> Latent:
        """Take a few of the pending frames: equal shares, none longer than a step should take."""
        assert self.pending is not None
        count = self.pending.shape[2]
        shares = max(1, -(-count // self.voice.vocoder.frames_per_step))
        frames, rest = np.split(self.pending, [-(-count // shares)], axis=2)
        self.pending = rest if rest.shape[2] else None
        return frames

    def _finish(self, made: Samples) -> AudioChunk:
        self.stage = "done"
        if self.semantic.ended in ("limit", "collapse"):
            made[-FADE_SAMPLES:] *= np.linspace(1, 0, min(FADE_SAMPLES, len(made)), dtype=np.float32)
        words = self.words.rest(self.latent.attention, self.samples / SAMPLE_RATE_HZ)
        return AudioChunk(made, SAMPLE_RATE_HZ, words)
