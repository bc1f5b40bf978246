"""genie-tts 2.0.2 under measurement, through its own Python API: load_character, set_reference_audio, tts_async.

Only its decode step is measured from inside, on the session it made itself. `genie_peer.py` runs this as a process.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np

from peer_process import answer_questions, memory_mib
from synthetic_genie_data import reference_clip
from synthetic_voice import Version, synthetic_voice

CHARACTER = "peer"


def load(version: Version) -> dict[str, Any]:
    """Everything until it could speak."""
    import genie_tts

    clip = reference_clip()
    started_s = time.perf_counter()
    genie_tts.load_character(CHARACTER, str(synthetic_voice(version)), "Japanese")
    loaded_s = time.perf_counter() - started_s
    genie_tts.set_reference_audio(CHARACTER, str(clip.path), clip.text, "Japanese")
    return {"load_s": loaded_s}


def speak(text: str) -> dict[str, Any]:
    """One sentence; it is a single chunk."""
    import genie_tts

    async def run() -> dict[str, Any]:
        started_s = time.perf_counter()
        first_s, received = None, 0
        async for chunk in genie_tts.tts_async(CHARACTER, text):
            first_s = first_s or time.perf_counter() - started_s
            received += len(chunk)
        return {"first_s": first_s, "audio_s": received / 2 / 32000, "wall_s": time.perf_counter() - started_s}

    return asyncio.run(run())


def steps(places: int, count: int) -> dict[str, Any]:
    """Seconds of each of `count` steps of its stage decoder with that many places filled."""
    from genie_tts.ModelManager import model_manager

    session = model_manager.get(CHARACTER).T2S_STAGE_DECODER
    rng = np.random.default_rng(0)
    tokens = places // 2
    feed: dict[str, Any] = {
        "iy": rng.integers(0, 1024, (1, tokens + 1)),
        "iy_emb": rng.standard_normal((1, tokens, 512), np.float32),
    }
    for node in session.get_inputs()[2:]:
        feed[node.name] = rng.standard_normal((places, 1, 512), np.float32)
    seconds = []
    for _ in range(count):
        started_s = time.perf_counter()
        session.run(None, feed)
        seconds.append(time.perf_counter() - started_s)
    return {"seconds": seconds}


if __name__ == "__main__":
    answer_questions({"load": load, "speak": speak, "steps": steps, "memory": memory_mib})
