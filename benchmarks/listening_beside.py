"""Do those who listen and those who are listened to hurt each other? Two questions to one server, in turns.

file       While a recording of ten minutes is transcribed, short texts are spoken to a newcomer, and again without
           it, round after round: how much later does the first audible sound come?
captions   Two listeners hear speech as it is played while somebody speaks live: does anybody have a gap, are the
           words right, and how far behind the speaker do they come? Before that, the same captions alone.

python benchmarks/listening_beside.py
python benchmarks/listening_beside.py --only captions --seconds 30
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
import numpy as np
from websockets.asyncio.client import connect

from listener import Heard, listen
from local_server import RunningServer, add_options, local_server
from report import print_report, spread
from texts import paragraph, sentences
from vivavoce.audio.chunk import Samples
from vivavoce.audio.samples import to_pcm16
from vivavoce.engines.whisper.own_speech import SENTENCES, own_speech
from vivavoce.hosted.hearing import wav_file
from vivavoce.recognition.overheard import tokens

RATE = 16_000
BLOCK = RATE // 50
FILE_S = 600
MIDDLE_S = 1.0  # of pause between two sentences of whoever speaks


@dataclass(slots=True)
class Captions:
    """What one live speaker got: texts of the finals, and how far behind the end of their sound they came."""

    texts: list[str] = field(default_factory=list)
    behind_ms: list[float] = field(default_factory=list)
    sentences: int = 0

    @property
    def right(self) -> float:
        """Share of the words said that were understood, in their order of sentences."""
        said = [word for k in range(self.sentences) for word in tokens(SENTENCES[k % len(SENTENCES)])]
        heard = [word for text in self.texts for word in tokens(text)]
        left = list(heard)
        found = 0
        for word in said:
            if word in left:
                left.remove(word)
                found += 1
        return found / max(1, len(said))


def main() -> None:
    options = _options()
    with local_server(options) as server:
        if options.only != "captions":
            rows = asyncio.run(_beside_a_file(server, options))
            what = "milliseconds until the first audible sound, and the gaps of its listener in seconds"
            print_report("listening_beside file", what, rows, voice=server.voice, rounds=options.rounds)
        if options.only != "file":
            rows = asyncio.run(_captions_beside_listeners(server, options))
            what = "milliseconds from the end of a segment to its words, and the gaps of two listeners in seconds"
            print_report("listening_beside captions", what, rows, voice=server.voice, seconds=options.seconds)


async def _beside_a_file(server: RunningServer, options: argparse.Namespace) -> list[dict[str, object]]:
    recording = wav_file(np.resize(np.concatenate(_spoken()), FILE_S * RATE))
    alone: list[Heard] = []
    beside: list[Heard] = []
    async with httpx.AsyncClient(timeout=600) as client:
        await _transcribed(client, server.url, wav_file(np.concatenate(own_speech())))  # the model is loaded
        for number in range(options.rounds):
            texts = sentences(options.requests)
            alone += [await listen(server.url, server.voice, text) for text in texts]
            upload = asyncio.create_task(_transcribed(client, server.url, recording), name=f"file {number}")
            await _until_heard(client, server.url)
            beside += [await listen(server.url, server.voice, text) for text in texts]
            was_running = not upload.done()
            upload.cancel()
            await asyncio.gather(upload, return_exceptions=True)
            if not was_running:
                raise SystemExit("the file was done before the listeners were: ask for fewer --requests")
            await asyncio.sleep(0.5)
    named = (("alone", alone), ("beside a file of ten minutes", beside))
    middle = [statistics.median(each.first_audible_s for each in heard) for _, heard in named]
    return [
        {
            "first sound": name,
            **spread([each.first_audible_s for each in heard], scale=1000),
            "later, p50": round(1000 * (p50_s - middle[0]), 1),
            "gaps": _gaps_s(heard),
        }
        for (name, heard), p50_s in zip(named, middle, strict=True)
    ]


async def _captions_beside_listeners(server: RunningServer, options: argparse.Namespace) -> list[dict[str, object]]:
    alone = await _captions(server.url, options.seconds)
    before = await _underruns(server.url)
    texts = [paragraph(options.seconds + 10, start=k) for k in range(2)]
    listeners = [
        asyncio.create_task(listen(server.url, server.voice, text, real_time=True), name="listener") for text in texts
    ]
    await asyncio.sleep(1.0)
    beside = await _captions(server.url, options.seconds)
    heard = await asyncio.gather(*listeners)
    told = await _underruns(server.url) - before
    return [
        {
            "captions": name,
            **spread(captions.behind_ms),
            "words right": round(captions.right, 3),
            "finals": f"{len(captions.texts)} of {captions.sentences}",
            "gaps": gaps_s,
            "of the server's": underruns,
        }
        for name, captions, gaps_s, underruns in (
            ("alone", alone, 0.0, 0.0),
            ("beside two listeners", beside, _gaps_s(heard), told),
        )
    ]


async def _underruns(url: str) -> float:
    """That the server counts as its own fault so far."""
    async with httpx.AsyncClient() as client:
        lines = (await client.get(f"{url}/metrics")).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("voice_underruns_total"))


def _gaps_s(heard: Sequence[Heard]) -> float:
    return round(sum(sum(each.stalls_s) for each in heard), 3)


async def _captions(url: str, seconds: float) -> Captions:
    """Speak for about so long; every sentence is a segment."""
    captions = Captions()
    sound: list[Samples] = []
    spoken = _spoken()
    while sum(map(len, sound)) < seconds * RATE:
        sound.append(spoken[captions.sentences % len(spoken)])
        captions.sentences += 1
    pcm = to_pcm16(np.concatenate(sound))
    address = url.replace("http", "ws", 1) + "/v1/audio/transcriptions/stream"
    async with connect(address, max_size=None) as socket:
        await socket.send(json.dumps({"type": "session.config", "sample_rate": RATE, "language": "en"}))
        begun_s = time.monotonic()

        async def speak() -> None:
            for start in range(0, len(pcm), BLOCK):
                await asyncio.sleep(max(0.0, begun_s + (start + BLOCK) / RATE - time.monotonic()))
                await socket.send(pcm[start : start + BLOCK].tobytes())
            await socket.send(json.dumps({"type": "input.done"}))

        speaking = asyncio.create_task(speak(), name="speaker")
        async for message in socket:
            event = json.loads(message)
            if event["type"] == "transcript.final":
                captions.texts.append(event["text"])
                captions.behind_ms.append(1000 * (time.monotonic() - begun_s) - event["end_ms"])
            if event["type"] in ("session.done", "error"):
                break
        await speaking
    return captions


async def _transcribed(client: httpx.AsyncClient, url: str, recording: bytes) -> str:
    answer = await client.post(f"{url}/v1/audio/transcriptions", files={"file": ("a.wav", recording)})
    answer.raise_for_status()
    return str(answer.json()["text"])


async def _until_heard(client: httpx.AsyncClient, url: str) -> None:
    """Until the recording is decoded and being listened to."""
    async with asyncio.timeout(60):
        while True:
            metrics = (await client.get(f"{url}/metrics")).text
            if any(
                line.startswith('voice_active_hearings{transport="http"}') and float(line.split()[-1]) > 0
                for line in metrics.splitlines()
            ):
                return
            await asyncio.sleep(0.05)


def _spoken() -> list[Samples]:
    pause = np.zeros(round(MIDDLE_S * RATE), np.float32)
    return [np.concatenate([sentence, pause]) for sentence in own_speech()]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("file", "captions"), help="one of the two questions (default: both)")
    parser.add_argument("--rounds", type=int, default=3, help="without and with the file (default: 3)")
    parser.add_argument("--requests", type=int, default=8, help="of the newcomer in each (default: 8)")
    parser.add_argument("--seconds", type=float, default=30, help="that somebody speaks live (default: 30)")
    add_options(parser)
    return parser.parse_args()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
