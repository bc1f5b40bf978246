"""Small models that other projects publish for everybody, kept here with their licences, so that they work offline.

    silero_vad.onnx           is there speech in 32 ms?  silero-vad 6.2.3, MIT (LICENSE.silero_vad)
    smart-turn-v3.2-cpu.onnx  has the speaker finished?  pipecat-ai 1.14.0, BSD-2-Clause (LICENSE.smart-turn)

They are the files of those packages, byte for byte; `SHA256` says which. `silero_vad_over_time.onnx` has the numbers of
the first in another order of work.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).parent
SILERO = FOLDER / "silero_vad.onnx"
SILERO_OVER_TIME = FOLDER / "silero_vad_over_time.onnx"  # made of it by `over_time.py`: for whole recordings
SMART_TURN = FOLDER / "smart-turn-v3.2-cpu.onnx"
SHA256: Mapping[Path, str] = MappingProxyType({
    SILERO: "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
    SMART_TURN: "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
})  # fmt: skip
