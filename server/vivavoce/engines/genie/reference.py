"""A recording of the speaker -> what a voice needs to sound like it: prompt tokens and timbre.

Done once for each clip, then kept on disk: the networks that listen (HuBERT, the speaker encoder) are large, needed
for nothing else, and closed again. Knows nothing of phonemes: the text of the clip is carried along for whoever turns
it into phonemes with the sentence. `engine.py` calls `ReferenceReader.read`.

    clip -> 32 kHz -> timbre network (with the speaker vector, v2ProPlus) -> ge, ge_advanced
         -> 16 kHz -> HuBERT -> prompt tokens
                   -> speaker encoder -> speaker vector (v2ProPlus)

Source: GPT-SoVITS, `TTS_infer_pack/TTS.py` (set_ref_audio, averaging of auxiliary clips); genie-tts' graphs.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from vivavoce.engines.genie.reading.genie_data import PULL_COMMAND, GenieData
from vivavoce.errors import InvalidAudio, VoicePackError, VoiceUnavailable
from vivavoce.onnx_session import Signature, open_session
from vivavoce.voices.clip import MAX_REFERENCE_S, MIN_REFERENCE_S, SILENCE_PEAK, Clip, decode_clip
from vivavoce.voices.fingerprints import Version

logger = logging.getLogger(__name__)

Array = NDArray[np.float32]

SHORTEST_S, LONGEST_S = 1.0, 60.0  # outside of these a clip is refused; outside of 3..10 s there is a warning
TRAILING_SILENCE_S = 0.3  # what upstream and Genie append before listening
TIMBRE_RATE_HZ, LISTENING_RATE_HZ = 32_000, 16_000
_RECIPE = "1"  # part of the cache key: raise it whenever the same clip would give other numbers


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A speaker's tone, ready to speak with.

    Attributes:
        prompt_tokens: int64 [1, P], semantic tokens of the clip, 25 a second.
        ge: float32 [1, 512 (v2) or 1024 (v2ProPlus), 1], timbre for flow and decoder.
        ge_advanced: float32 [1, 512, 1], timbre for the text encoder; the same as `ge` in v2.
        text: what is said in the clip.
        language: ISO 639-1 code of `text`.
    """

    prompt_tokens: NDArray[np.int64]
    ge: Array
    ge_advanced: Array
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class ReferenceReader:
    """Reads clips for one voice.

    Attributes:
        data: where HuBERT and the speaker encoder are.
        timbre: the voice's graph `timbre.onnx`.
        prompt: the voice's graph `prompt.onnx`.
        version: of the voice.
        voice_key: changes whenever the voice's weights do.
        cache: folder for what was read; None reads anew every time.
    """

    data: GenieData
    timbre: Path
    prompt: Path
    version: Version
    voice_key: str
    cache: Path | None = None

    def read(self, clips: Sequence[Path], text: str, language: str) -> Reference:
        """The reference of a clip, or of several of one speaker.

        Args:
            clips: sound files, at least one. The first gives the prompt, all of them the timbre, averaged.
            text: what is said in the first.
            language: ISO 639-1 code of `text`.

        Raises:
            InvalidAudio: If a clip cannot be decoded, is silent, or is not between 1 and 60 s long.
            VoiceUnavailable: If a network that listens is missing; the sentence says how to get it.
        """
        kept = None if self.cache is None else self.cache / f"{self._key(clips, text, language)}.npz"
        if kept is not None and (reference := _load(kept, text, language)) is not None:
            return reference
        reference = self._listen(
            [_checked(decode_clip(clip, max_s=LONGEST_S), clip.name) for clip in clips], text, language
        )
        if kept is not None:
            _save(kept, reference)
        return reference

    def listen(self, clip: Clip, text: str, language: str) -> Reference:
        """The reference of a clip that is in memory; nothing of it is kept. Raises as `read`."""
        return self._listen([_checked(clip, "the recording")], text, language)

    def _key(self, clips: Sequence[Path], text: str, language: str) -> str:
        digest = hashlib.sha256(f"{_RECIPE}\0{self.version}\0{self.voice_key}\0{language}\0{text}".encode())
        for clip in clips:
            digest.update(hashlib.sha256(clip.read_bytes()).digest())
        return digest.hexdigest()

    def _listen(self, clips: Sequence[Clip], text: str, language: str) -> Reference:
        sounds = [_with_silence(clip) for clip in clips]
        listening = [soxr.resample(sound, TIMBRE_RATE_HZ, LISTENING_RATE_HZ, quality="HQ") for sound in sounds]
        tokens = self._prompt_tokens(listening[0])
        speakers = self._speaker_vectors(listening)
        timbres = self._timbres(sounds, speakers)
        ge = np.stack([ge for ge, _ in timbres]).mean(axis=0)
        ge_advanced = np.stack([advanced for _, advanced in timbres]).mean(axis=0)
        return Reference(tokens, ge, ge_advanced, text, language)

    def _prompt_tokens(self, sound: Array) -> NDArray[np.int64]:
        """Tokens int64 [1, P] of a sound float32 [n] at 16 kHz."""
        for path in (self.data.hubert, self.data.hubert_weights):
            _require(path)
        try:
            from vivavoce.engines.genie.preparing.weights import PackWeights, with_weights  # brings the package onnx

            graph = with_weights(PackWeights(self.data.hubert, self.data.hubert_weights))
        except VoicePackError as error:
            raise VoiceUnavailable(f"{error.message}; get it again with `{PULL_COMMAND}`") from error
        hubert = open_session(
            graph.SerializeToString(), signature=Signature({"input_values"}, {"ssl_content"}), arena=False
        )
        (features,) = hubert.run(["ssl_content"], {"input_values": sound[np.newaxis]})
        prompt = open_session(self.prompt, optimization="none", arena=False)
        (tokens,) = prompt.run(["prompts"], {"ssl_content": features})
        return np.asarray(tokens, np.int64).reshape(1, -1)

    def _speaker_vectors(self, sounds: Sequence[Array]) -> list[Array]:
        """float32 [1, 20480] of each sound at 16 kHz; nothing for v2, which has no use for them."""
        if self.version == "v2":
            return []
        _require(self.data.speaker_encoder)
        encoder = open_session(self.data.speaker_encoder, signature=Signature({"waveform"}, ()), arena=False)
        return [encoder.run(None, {"waveform": sound[np.newaxis]})[0] for sound in sounds]

    def _timbres(self, sounds: Sequence[Array], speakers: Sequence[Array]) -> list[tuple[Array, Array]]:
        session = open_session(self.timbre, arena=False)
        if not speakers:
            shared = [session.run(["ge"], {"ref_audio": sound[np.newaxis]})[0] for sound in sounds]
            return [(ge, ge) for ge in shared]
        return [
            tuple(session.run(["ge", "ge_advanced"], {"ref_audio": sound[np.newaxis], "sv_emb": speaker}))
            for sound, speaker in zip(sounds, speakers, strict=True)
        ]


def _checked(clip: Clip, name: str) -> Clip:
    if not SHORTEST_S <= clip.duration_s <= LONGEST_S:
        raise InvalidAudio(
            f"'{name}' lasts {clip.duration_s:.1f} s; a reference lasts {MIN_REFERENCE_S:g} to {MAX_REFERENCE_S:g} s"
        )
    if not np.all(np.isfinite(clip.samples)) or float(np.max(np.abs(clip.samples))) < SILENCE_PEAK:
        raise InvalidAudio(f"'{name}' is silent")
    if not MIN_REFERENCE_S <= clip.duration_s <= MAX_REFERENCE_S:
        logger.warning(
            "reference '%s' lasts %.1f s; between %g and %g s the voice is most alike",
            name,
            clip.duration_s,
            MIN_REFERENCE_S,
            MAX_REFERENCE_S,
        )
    return clip


def _with_silence(clip: Clip) -> Array:
    """The clip as float32 [n] at 32 kHz, followed by silence."""
    sound = clip.samples
    if clip.sample_rate != TIMBRE_RATE_HZ:
        sound = soxr.resample(sound, clip.sample_rate, TIMBRE_RATE_HZ, quality="HQ")
    return np.concatenate([sound, np.zeros(int(TRAILING_SILENCE_S * TIMBRE_RATE_HZ), np.float32)])


def _require(path: Path) -> None:
    if not path.is_file():
        raise VoiceUnavailable(f"'{path.name}' is missing; get it with `{PULL_COMMAND}`")


def _load(path: Path, text: str, language: str) -> Reference | None:
    """What was kept, or None: a file that cannot be read is as good as none, it is written again."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return Reference(kept["prompt_tokens"], kept["ge"], kept["ge_advanced"], text, language)
    except FileNotFoundError:
        return None
    except Exception:  # zipfile, numpy and the operating system each have their own words for a damaged file
        logger.warning("kept reference '%s' is damaged and made again", path.name)
        return None


def _save(path: Path, reference: Reference) -> None:
    """Written whole or not at all: two servers may share the cache."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as out:
        np.savez(out, prompt_tokens=reference.prompt_tokens, ge=reference.ge, ge_advanced=reference.ge_advanced)
    os.replace(out.name, path)
