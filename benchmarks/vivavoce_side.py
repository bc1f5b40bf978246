"""Viva Voce under measurement, on the same voice: the engine for one sentence, the synthesizer for many listeners.

`genie_peer.py` runs this as a process.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import numpy as np

from peer_process import answer_questions, memory_mib
from player import Player
from synthetic_genie_data import genie_data, voice_library
from synthetic_voice import cache_root
from vivavoce.app.generator import build_synthesizer
from vivavoce.config import Config, available_cores
from vivavoce.engines.genie.engine import GenieEngine
from vivavoce.engines.genie.reading.genie_data import GenieData
from vivavoce.engines.genie.reading.phonemes import PhonemeFrontEnd
from vivavoce.engines.genie.semantic.model import SemanticPrompt
from vivavoce.engines.genie.semantic.sampling import SamplingOptions
from vivavoce.engines.genie.voice import GenieVoice
from vivavoce.engines.speech import SpeechOptions
from vivavoce.errors import Overloaded
from vivavoce.metrics import Metrics
from vivavoce.synthesis.speaker import SpeechRequest
from vivavoce.text.normalize import normalize
from vivavoce.voices.store import VoiceDirectory, VoiceStore

VOICES = {"v2ProPlus": "alpha", "v2": "beta"}


class Side:
    """The state of the process: an engine and one loaded voice."""

    engine: GenieEngine
    voice: GenieVoice

    def prepare(self, version: str, precision: str) -> dict[str, Any]:
        """Compile and open; genie-tts and its data are imported here, not while the loading is timed."""
        front_end = PhonemeFrontEnd(GenieData(genie_data()))
        front_end.warm_up("ja")
        store = VoiceStore([VoiceDirectory(voice_library())], records=cache_root() / "records")
        self.engine = GenieEngine(
            store, front_end, cache_root() / "compiled", precision="int8" if precision == "int8" else "fp32"
        )
        self.engine._loader.load(store.verified(VOICES[version]), lambda what, fraction: None)
        return {}

    def load(self, version: str) -> dict[str, Any]:
        """A prepared voice."""
        started_s = time.perf_counter()
        self.voice = self.engine.load_voice(VOICES[version])
        return {"load_s": time.perf_counter() - started_s}

    def speak(self, text: str) -> dict[str, Any]:
        """One sentence to a listener who plays it as it comes."""
        started_s = time.perf_counter()
        player = Player(prebuffer_s=0.0)
        stream = self.engine.open(normalize(text), self.voice, SpeechOptions())
        first_s, samples = None, 0
        while stream.stage != "done":
            stream.buffered_s = player.buffered_s(time.perf_counter() - started_s)
            (chunk,) = self.engine.step([stream], threads=available_cores())
            if chunk is not None and len(chunk.samples):
                now_s = time.perf_counter() - started_s
                first_s = first_s or now_s
                player.receive(chunk.duration_s, now_s)
                samples += len(chunk.samples)
        wall_s = time.perf_counter() - started_s
        stream.close()
        return {"first_s": first_s, "audio_s": samples / 32000, "wall_s": wall_s, "stalls_s": sum(player.stalls_s)}

    def steps(self, places: int, count: int, batch: int) -> dict[str, Any]:
        """Seconds of each of `count` steps, that many places filled in each of `batch` rows."""
        model, rng = self.voice.semantic, np.random.default_rng(0)
        tokens = places // 2
        prompt = SemanticPrompt(
            rng.integers(0, 732, (1, places - tokens)),
            np.zeros((places - tokens, 1024), np.float32),
            rng.integers(0, 1024, (1, tokens)),
            reference_phonemes=20,
        )
        states = [model.begin(prompt, SamplingOptions(), seed) for seed in range(batch)]
        for state in states:
            model.prefill(state)
            state.tokens = [5]
        seconds = []
        for _ in range(count):
            started_s = time.perf_counter()
            logits = model.forward(states, threads=available_cores())
            for state, row in zip(states, logits, strict=True):
                state.sampler.draw(row)
            seconds.append(time.perf_counter() - started_s)
        for state in states:
            model.close(state)
        return {"seconds": seconds}

    def streams(self, version: str, count: int, texts: list[str], everyone: bool = False) -> dict[str, Any]:
        """That many listeners at once, through admission (unless `everyone` is let in), scheduler and workers."""
        config = Config(
            voices=(voice_library(),), data_dir=cache_root() / "data", cache_dir=cache_root(), preload=False,
            **({"admission_share": 0.0} if everyone else {}),
        )  # fmt: skip
        return asyncio.run(self._streams(config, version, count, texts))

    async def _streams(self, config: Config, version: str, count: int, texts: list[str]) -> dict[str, Any]:
        synthesizer = build_synthesizer(config, Metrics(), [self.engine])

        async def listen(index: int) -> Player:
            await asyncio.sleep(0.4 * index)  # people do not begin in the same instant
            started_s, player = time.perf_counter(), Player(prebuffer_s=0.08)
            text = "".join(texts[index % len(texts) :] + texts[: index % len(texts)])
            request = SpeechRequest(voice=VOICES[version], text=text, paced=True)
            async with synthesizer.stream(request) as utterance:
                async for chunk in utterance:
                    player.receive(chunk.audio.duration_s, time.perf_counter() - started_s)
            return player

        async with synthesizer.stream(SpeechRequest(voice=VOICES[version], text=texts[0])) as utterance:
            async for _ in utterance:
                pass  # what is measured is a voice in memory, and admission knows what it costs
        try:
            players = await asyncio.gather(*(listen(index) for index in range(count)))
        except Overloaded as error:
            return {"refused": error.message}
        finally:
            await synthesizer.aclose()
        return {
            "first_s": [player.started_s for player in players],
            "stalls": [len(player.stalls_s) for player in players],
            "stalled_s": [sum(player.stalls_s) for player in players],
        }


if __name__ == "__main__":
    side = Side()
    answer_questions(
        {
            "prepare": side.prepare,
            "load": side.load,
            "speak": side.speak,
            "steps": side.steps,
            "streams": side.streams,
            "memory": memory_mib,
            "where": lambda: {"cache": str(Path(cache_root()))},
        }
    )
