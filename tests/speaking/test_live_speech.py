"""Real speech over the live transports, read back by a recognizer that knows nothing of this server."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from call_client import CallClient, call
from live_server import LiveServer, live_server
from recognizer import transcribe, word_error_rate
from stream_client import stream_client
from vivavoce.engines.embedded import EmbeddedEngine

TEXT = "The old lighthouse keeper walked down to the harbour every morning. He liked to watch the ships come in."


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server([EmbeddedEngine()]) as running:
        yield running


async def test_speech_over_a_websocket_is_understood_and_its_words_come_in_order(server: LiveServer) -> None:
    async with stream_client(server.port) as client:
        await client.send("session.config", timestamps="word", pace="burst")
        await client.say(TEXT, piece=3)
        spoken = await client.until("session.done")
    [rate] = {m["sample_rate"] for m in spoken.messages if m["type"] == "audio.start"}
    assert word_error_rate(TEXT, transcribe(spoken.samples, rate)) <= 0.1
    words = [word for m in spoken.messages if m["type"] == "audio.timestamps" for word in m["words"]]
    assert " ".join(word["text"] for word in words) == TEXT
    assert [word["start_ms"] for word in words] == sorted(word["start_ms"] for word in words)
    assert words[-1]["end_ms"] <= spoken.done["duration_ms"] + 1


@pytest.mark.parametrize("text", ["\U0001f600 \U0001f389", "\0\1\x7f", "... ?! -", "\ud83d", "<b></b>", "\u200b"])
async def test_what_cannot_be_spoken_is_done_without_a_sound(server: LiveServer, text: str) -> None:
    async with stream_client(server.port) as client:
        await client.say(text)
        spoken = await client.until("session.done")
        assert spoken.done["status"] == "completed"
        await client.say("Yes.")
        assert (await client.until("session.done")).audio


async def test_speech_over_a_call_is_understood(server: LiveServer) -> None:
    async with call(server.url) as client:
        client.say(TEXT)
        done = await client.until("session.done")
        await hear_the_end(client)
        assert done["status"] == "completed"
        assert word_error_rate(TEXT, transcribe(client.heard, 48_000)) <= 0.1


async def test_a_lossy_network_does_not_break_a_call(server: LiveServer) -> None:
    """One packet in twenty is lost, of sound and of messages alike.

    aiortc, unlike browsers, neither uses the redundancy in the packets nor conceals a loss, so some words suffer.
    """
    async with call(server.url) as client:
        lost = lose_packets(client, share=0.05)
        client.say(TEXT)
        done = await client.until("session.done")
        await hear_the_end(client)
        assert len(lost) > 10
        assert done["status"] == "completed"
        assert word_error_rate(TEXT, transcribe(client.heard, 48_000)) <= 0.6
        client.say("Hello.")
        assert (await client.until("session.done", 2))["status"] == "completed"


async def hear_the_end(client: CallClient) -> None:
    """Until half a second of silence has come."""
    enough = len(client.heard) + 24_000
    await client.wait(lambda: len(client.heard) > enough and float(np.abs(client.heard[-12_000:]).max()) < 0.01)


def lose_packets(client: CallClient, share: float) -> list[int]:
    """From now on some packets do not arrive; their sizes."""
    transport: Any = client.peer.getTransceivers()[0].receiver.transport.transport
    receive, dice = transport._recv, random.Random(3)
    lost: list[int] = []

    async def lossy() -> bytes:
        while dice.random() < share:
            lost.append(len(await receive()))
        return bytes(await receive())

    transport._recv = lossy
    return lost


async def test_cancel_is_silence_within_a_tenth_of_a_second_of_sound(server: LiveServer) -> None:
    async with call(server.url) as client:
        client.say(TEXT * 3)
        await client.wait(lambda: len(client.heard) > 0 and float(np.abs(client.heard[-960:]).max()) > 0.05)
        client.send("input.cancel")
        await client.until("session.done")
        position = len(client.heard)
        await client.wait(lambda: len(client.heard) > position + 48_000)
        # what was under way: the network and the listener's jitter buffer
        assert float(np.abs(client.heard[position + 14_400 :]).max()) < 0.01
