"""How long does a user wait for the assistant, how soon does it fall silent, how often does it cut him short?

A user speaks to a server over a WebSocket, a frame every 20 ms; the end of his speech is its last sample above
-45 dBFS, the first audible sound is when a player that starts at once makes one heard. The chat model is a stub that
answers at once, or the embedded one. Barge-in: from the first audible sample of his speech until the client knows that
it has to be silent. Wrongly cut: turns that ended inside of a sentence with a pause of 0.25 to 0.8 s.

    python benchmarks/conversation.py
    python benchmarks/conversation.py --chat embedded --only latency
    python benchmarks/conversation.py --v2 --only latency             # a synthetic V2 voice of the real size speaks
    python benchmarks/conversation.py --peer ~/pipecat/bin/python     # Pipecat's own pipeline over the same recordings
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chat_stub import ANSWER, STORY, ChatStub, chat_stub
from conversation_clips import Turn, paused_turns, turns
from local_server import RunningServer, add_options, local_server
from realtime_user import RealtimeUser, realtime_user
from report import print_report, spread

SEMANTIC = {"type": "semantic_vad"}
INTERRUPTED_AFTER_S = 1.2
STAGES = (
    ("turn is over", "input_audio_buffer.speech_stopped"),
    ("words", "conversation.item.input_audio_transcription.completed"),
    ("first sound arrives", "response.output_audio.delta"),
)


def main() -> None:
    options = _options()
    if options.v2:
        _speak_with_v2(options)
    said = turns(options.turns)
    with chat_stub() as stub:
        options.serve_flags += ["--chat-url", stub.url] if options.chat == "stub" else []
        options.serve_flags += ["--chat-model", "stub" if options.chat == "stub" else "embedded"]
        with local_server(options) as server:
            rows, facts = asyncio.run(_measure(server, stub, said, options))
            if options.peer:
                rows += _peer(server, stub, said, options, facts)
    print_report("conversation", f"milliseconds after the end of the user's speech, {len(said)} turns", rows, **facts)


async def _measure(server: RunningServer, stub: ChatStub, said: Sequence[Turn], options: argparse.Namespace) -> Any:
    rows: list[dict[str, Any]] = []
    facts: dict[str, Any] = {"chat": options.chat, "voice": "synthetic V2" if options.v2 else options.voice}
    detection = {**SEMANTIC, **({"eagerness": options.eagerness} if options.eagerness else {})}
    async with realtime_user(server.url, detection, voice=options.voice) as user:
        await _one_turn(user, stub, said[0])  # wakes caches; not counted
        if options.only in (None, "latency"):
            rows += await _latency(user, stub, said, facts)
        if options.only in (None, "barge-in"):
            rows += await _barge_in(user, stub, said[: options.interruptions])
        if options.only in (None, "pauses"):
            facts["wrongly cut"] = await _pauses(user, list(paused_turns(said))[: options.turns])
            print("wrongly cut:", facts["wrongly cut"])
    return rows, facts


async def _latency(user: RealtimeUser, stub: ChatStub, said: Sequence[Turn], facts: dict[str, Any]) -> Any:
    found: dict[str, list[float]] = {}
    lost = 0
    for turn in said:
        stages = await _one_turn(user, stub, turn)
        lost += not stages
        for name, value in stages.items():
            found.setdefault(name, []).append(value)
    facts["cut or unanswered"] = lost
    return [{"stage": name, **spread(values, scale=1000)} for name, values in found.items()]


async def _one_turn(user: RealtimeUser, stub: ChatStub, turn: Turn) -> dict[str, float]:
    """Seconds after the end of the speech at which each stage was reached; empty: it was cut short, or not answered."""
    user.forget()
    stub.answer = ANSWER
    _, ended_s = await user.say(turn.sound)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(12):
            await user.sounding.wait()
    stages = {name: at_s - ended_s for name, kind in STAGES if (at_s := user.at(kind)) is not None}
    if user.first_audible_s is not None:
        stages["first audible sound"] = user.first_audible_s - ended_s
    if stub.asked_s > ended_s - 1:
        stages["chat model is asked"] = stub.asked_s - ended_s
    await _silence(user)
    whole = len([kind for _, kind, _ in user.came if kind == "input_audio_buffer.speech_stopped"]) == 1
    ordered = dict(sorted(stages.items(), key=lambda stage: stage[1]))
    return ordered if whole and "first audible sound" in stages and stages["turn is over"] > 0 else {}


async def _silence(user: RealtimeUser) -> None:
    await user.send(type="response.cancel")
    await user.until("response.done")
    await asyncio.sleep(0.4)


async def _barge_in(user: RealtimeUser, stub: ChatStub, said: Sequence[Turn]) -> list[dict[str, Any]]:
    silent: list[float] = []
    missed = 0
    for turn, interruption in zip(said, reversed(said), strict=True):
        user.forget()
        stub.answer = STORY
        await user.say(turn.sound)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(12):
                await user.sounding.wait()
        await asyncio.sleep(INTERRUPTED_AFTER_S)
        user.forget()
        stub.answer = ANSWER
        begun_s, _ = await user.say(interruption.sound)
        at_s = user.at("input_audio_buffer.speech_started")
        if at_s is None:
            missed += 1
        else:
            silent.append(at_s - begun_s)
        await user.until("response.output_audio.delta")
        await _silence(user)
    return [{"stage": f"barge-in ({len(silent)}, {missed} missed)", **spread(silent, scale=1000)}]


async def _pauses(user: RealtimeUser, said: Sequence[Turn]) -> str:
    cut = 0
    for turn in said:
        user.forget()
        _, ended_s = await user.say(turn.sound)
        await user.until("response.output_audio.delta")
        stops = [at_s for at_s, kind, _ in user.came if kind == "input_audio_buffer.speech_stopped"]
        cut += bool(stops) and stops[0] < ended_s
        await _silence(user)
    return f"{cut} of {len(said)}"


def _speak_with_v2(options: argparse.Namespace) -> None:
    """Its sound is noise as long as speech would be, and costs as much; what it is asked to say in English it reads."""
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    from synthetic_genie_data import genie_data, voice_library
    from synthetic_voice import cache_root

    os.environ["GENIE_DATA_DIR"] = str(genie_data())
    options.voice = "beta"
    options.serve_flags += ["--voices", str(voice_library()), "--voice", "beta", "--cache-dir", str(cache_root())]


def _peer(
    server: RunningServer, stub: ChatStub, said: Sequence[Turn], options: argparse.Namespace, facts: dict[str, Any]
) -> list[dict[str, Any]]:
    """Pipecat's pipeline in its own environment: its row, and the ratio."""
    stub.answer = ANSWER
    with tempfile.TemporaryDirectory() as folder:
        clips = Path(folder) / "clips.npz"
        np.savez(clips, *[turn.sound for turn in said])
        command = [options.peer, str(Path(__file__).with_name("conversation_peer.py")), str(clips)]
        command += [server.url, stub.url, options.weights]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        raise RuntimeError(f"the peer failed:\n{done.stderr[-3000:]}")
    waits = json.loads(done.stdout.splitlines()[-1])
    facts["peer"] = {"turns": len(waits), "unanswered": len(said) - len(waits)}
    return [{"stage": "Pipecat: first audible sound", **spread(waits, scale=1000)}]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--turns", type=int, default=40)
    parser.add_argument("--interruptions", type=int, default=20)
    parser.add_argument("--chat", choices=("stub", "embedded"), default="stub")
    parser.add_argument("--v2", action="store_true", help="a synthetic V2 voice of the real size speaks")
    parser.add_argument("--eagerness", choices=("low", "medium", "high", "auto"))
    parser.add_argument("--only", choices=("latency", "barge-in", "pauses"))
    parser.add_argument("--peer", help="python of an environment with Pipecat: run its pipeline in the same run")
    parser.add_argument("--weights", default="base", help="the peer's model: a folder in CTranslate2's form")
    return parser.parse_args()


if __name__ == "__main__":
    main()
