"""The VITS half of one voice, open: four sessions that all its streams share, read-only.

Knows which graph takes what; knows nothing of streaming, of sentences or of time. `engine.py` opens one per voice;
`latent.py` runs it; `vocoder.py` opens what turns the latent into sound. ONNX Runtime sessions may be called from
several threads at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vivavoce.engines.genie.shape import FLOW_CONDITIONS, LATENT_WIDTH
from vivavoce.onnx_session import Signature, WideSession, open_wide

Frames = NDArray[np.float32]  # [1, 192, F]
Tokens = NDArray[np.int64]

_NO_FRAMES = np.zeros((1, LATENT_WIDTH, 0), np.float32)
_SIGNATURES = {
    "condition": Signature({"ge"}, {*FLOW_CONDITIONS, "decoder"}),
    "text": Signature({"phonemes"}, {"text_keys", "text_values"}),
    "front": Signature({"tokens", "text_keys", "text_values", "ge_advanced"}, {"m_p", "logs_p", "attention"}),
    "flow": Signature({"m_p", "logs_p", "noise", "noise_scale", "past_z_p", *FLOW_CONDITIONS}, {"z", "new_z_p"}),
}


@dataclass(frozen=True, slots=True, eq=False)
class SpeakerCondition:
    """What the speaker's timbre adds inside flow and decoder; computed once a sentence.

    Attributes:
        flow: input name of the flow -> float32 [1, 1536, 1].
        decoder: float32 [1, C, 1].
    """

    flow: dict[str, NDArray[np.float32]]
    decoder: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class SpokenPhonemes:
    """The text side of the cross attention; depends on the phonemes only.

    Attributes:
        keys, values: float32 [1, 512, P].
    """

    keys: NDArray[np.float32]
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class FrontOutput:
    """What the text encoder says of every frame.

    Attributes:
        m_p, logs_p: float32 [1, 192, F], mean and logarithm of the deviation of the latent, F = 2 a token.
        attention: float32 [1, 4, F, P], how much each of 4 heads looks at each phoneme.
    """

    m_p: Frames
    logs_p: Frames
    attention: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class VitsModel:
    """The open sessions of a voice. Make it with `open`."""

    condition: WideSession
    text: WideSession
    front: WideSession
    flow: WideSession

    @classmethod
    def open(cls, folder: Path, threads: int = 1) -> VitsModel:
        """Open what `build_vits_graphs` wrote into `folder`: about 0.2 s, weights mapped rather than read.

        Args:
            folder: of the graphs.
            threads: the most that a call is given.

        Raises:
            VoiceUnavailable: If a file is missing, damaged or of another layout.
        """
        sessions = {
            name: open_wide(folder / f"{name}.onnx", threads=threads, signature=signature)
            for name, signature in _SIGNATURES.items()
        }
        return cls(**sessions)

    def speaker(self, ge: NDArray[np.float32]) -> SpeakerCondition:
        """Condition of flow and decoder from `ge` float32 [1, 512 (v2) or 1024, 1]."""
        names = [*FLOW_CONDITIONS, "decoder"]
        *flow, decoder = self.condition.run(names, {"ge": ge}, threads=1)
        return SpeakerCondition(dict(zip(FLOW_CONDITIONS, flow, strict=True)), decoder)

    def read(self, phonemes: Tokens) -> SpokenPhonemes:
        """The text side from phoneme ids int64 [1, P], P at least 1."""
        return SpokenPhonemes(*self.text.run(["text_keys", "text_values"], {"phonemes": phonemes}, threads=1))

    def plan(
        self, tokens: Tokens, text: SpokenPhonemes, ge_advanced: NDArray[np.float32], *, threads: int = 1
    ) -> FrontOutput:
        """Two frames for each semantic token int64 [1, 1, N], N at least 1, each 0..1023."""
        feeds = {"tokens": tokens, "text_keys": text.keys, "text_values": text.values, "ge_advanced": ge_advanced}
        return FrontOutput(*self.front.run(["m_p", "logs_p", "attention"], feeds, threads=threads))

    def latent(
        self,
        m_p: Frames,
        logs_p: Frames,
        noise: Frames,
        speaker: SpeakerCondition,
        *,
        noise_scale: float,
        past_z_p: Frames = _NO_FRAMES,
        threads: int = 1,
    ) -> tuple[Frames, Frames]:
        """Draw the latent and pass it through the flow.

        Args:
            m_p, logs_p, noise: float32 [1, 192, n] of the new frames.
            noise_scale: 0 is the mean.
            past_z_p: float32 [1, 192, c], the drawn latent right before them.

        Returns:
            z float32 [1, 192, c + n], and z_p of the new frames, float32 [1, 192, n].
        """
        feeds = {
            "m_p": m_p,
            "logs_p": logs_p,
            "noise": noise,
            "noise_scale": np.array(noise_scale, np.float32),
            "past_z_p": past_z_p,
            **speaker.flow,
        }
        z, z_p = self.flow.run(["z", "new_z_p"], feeds, threads=threads)
        return z, z_p
