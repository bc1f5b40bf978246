"""How far live captions are behind the speaker: partial and final words, alone and while the server speaks.

Sentences of the embedded voice are written at the pace they are spoken. Delays count from the end of the
sound that the words were made of; that of a final is 64 ms of silence behind the last sound, and the 200 ms of silence
that end a segment are waited for in any case. Prints a table, then one JSON line.

Run: python benchmarks/live_captions.py
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time

import numpy as np

from vivavoce.app.generator import build_synthesizer
from vivavoce.app.listener import build_transcriber
from vivavoce.app.machine import build_machine
from vivavoce.config import Config
from vivavoce.engines.recognizer import HearingOptions
from vivavoce.engines.whisper.own_speech import own_speech
from vivavoce.metrics import Metrics
from vivavoce.recognition.listener import SAMPLE_RATE, HeardSegment, HearingRequest
from vivavoce.recognition.transcriber import Transcriber
from vivavoce.synthesis.speaker import SpeechRequest
from vivavoce.synthesis.synthesizer import Synthesizer

BLOCK = SAMPLE_RATE // 50
SPEAKS = "While somebody else is being listened to, this is read aloud, and nobody notices anything of it. " * 4


async def captions(transcriber: Transcriber) -> dict[str, list[float]]:
    """Delays in milliseconds."""
    quiet = np.zeros(SAMPLE_RATE, np.float32)
    sound = np.concatenate([part for sentence in own_speech() for part in (sentence, quiet)])
    delays: dict[str, list[float]] = {"final": [], "partial": []}
    request = HearingRequest(options=HearingOptions(language="en"), drafts=True)
    async with transcriber.listen(request) as hearing:
        begun_s = time.monotonic()

        async def speak() -> None:
            for start in range(0, len(sound), BLOCK):
                await asyncio.sleep(max(0.0, begun_s + (start + BLOCK) / SAMPLE_RATE - time.monotonic()))
                hearing.write(sound[start : start + BLOCK])
            hearing.end()

        speaking = asyncio.create_task(speak())
        async for event in hearing:
            if isinstance(event, HeardSegment) and event.heard.text:
                kind = "final" if event.heard.is_final else "partial"
                delays[kind].append(1000 * (time.monotonic() - begun_s - event.end_s))
        await speaking
    return delays


async def speech(synthesizer: Synthesizer) -> None:
    """Speaks until cancelled, as fast as it is listened to."""
    while True:
        async with synthesizer.stream(SpeechRequest(text=SPEAKS, ahead_s=2.0)) as utterance:
            heard_until_s = time.monotonic()
            async for chunk in utterance:
                heard_until_s = max(heard_until_s, time.monotonic()) + chunk.audio.duration_s
                await asyncio.sleep(max(0.0, heard_until_s - time.monotonic() - 2.0))


async def main() -> None:
    config, metrics = Config(engines=("embedded",), admission_share=0.0), Metrics()
    machine = build_machine(config, metrics)
    synthesizer = build_synthesizer(config, metrics, None, machine)
    transcriber = build_transcriber(config, metrics, machine)
    await transcriber.preload()
    rows = {"alone": await captions(transcriber)}
    voice = asyncio.create_task(speech(synthesizer))
    rows["beside speech"] = await captions(transcriber)
    voice.cancel()
    await asyncio.gather(voice, return_exceptions=True)
    print(f"{'':14} {'final p50':>10} {'worst':>7} {'partial p50':>12} {'worst':>7}  ms behind the speaker")
    for name, delays in rows.items():
        cells = [
            value for kind in ("final", "partial") for value in (statistics.median(delays[kind]), max(delays[kind]))
        ]
        print(f"{name:14} {cells[0]:10.0f} {cells[1]:7.0f} {cells[2]:12.0f} {cells[3]:7.0f}")
    print(json.dumps({name: {kind: [round(d) for d in each] for kind, each in rows[name].items()} for name in rows}))
    await transcriber.aclose()
    await synthesizer.aclose()


if __name__ == "__main__":
    asyncio.run(main())
