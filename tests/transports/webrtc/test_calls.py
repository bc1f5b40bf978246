"""WebRTC calls with aiortc as the client: sound on the track, messages on the data channel."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from call_client import CallClient, call, post_offer
from fake_engine import FakeEngine, StepGate, wait_until
from live_server import LiveServer, live_server
from tone_engine import ToneEngine, pitch

LONG = "a" * 1000 + "."  # 20 s


@pytest.fixture(scope="module")
def engine() -> FakeEngine:
    return ToneEngine(("alpha", "beta"))


@pytest.fixture(scope="module")
def server(engine: FakeEngine) -> Iterator[LiveServer]:
    with live_server([engine]) as running:
        yield running


def open_calls(server: LiveServer) -> set[str]:
    return {name for name in server.tasks() if name.startswith("call")}


def assert_nothing_left(server: LiveServer, engine: FakeEngine) -> None:
    wait_until(lambda: not open_calls(server), timeout_s=20)
    wait_until(lambda: not engine.open_streams)
    assert server.metric("voice_open_sockets", transport="webrtc") == 0
    assert server.server.synthesizer.speaking == 0


def is_loud(samples: NDArray[np.float32]) -> bool:
    return bool(len(samples)) and float(np.abs(samples).max()) > 0.01


async def test_a_text_is_heard_and_told_in_step(server: LiveServer) -> None:
    async with call(server.url) as client:
        client.send("session.config", timestamps="word")
        client.say("One two three. Four five six.")
        done = await client.until("session.done")
        await client.wait(lambda: not is_loud(client.heard[-4800:]))
        loud = np.flatnonzero(np.abs(client.heard) > 0.01)
    assert done["status"] == "completed"
    seconds = (loud[-1] - loud[0]) / 48000
    assert seconds == pytest.approx(done["duration_ms"] / 1000, abs=0.1)
    kinds = [m["type"] for m in client.messages if m["type"] != "audio.timestamps"]
    sentences = done["total_sentences"]
    assert kinds == ["session.created", *["audio.start", "audio.done"] * sentences, "session.done"]
    assert {(m["format"], m["sample_rate"]) for m in client.of("audio.start")} == {("opus", 48000)}
    words = [word["text"] for message in client.of("audio.timestamps") for word in message["words"]]
    assert "".join(words) == "One two three.Four five six."  # none is lost in the resampler


async def test_cancel_silences_the_track_and_tells_what_was_heard(server: LiveServer, engine: FakeEngine) -> None:
    async with call(server.url) as client:
        client.say(LONG)
        await client.wait(lambda: is_loud(client.heard[-960:]))
        client.send("input.cancel")
        done = await client.until("session.done")
        heard_at_the_end = len(client.heard)
        await client.wait(lambda: len(client.heard) > heard_at_the_end + 24000)
        assert not is_loud(client.heard[-9600:])
        assert done["status"] == "cancelled"
        [heard] = client.of("playback.heard")
        assert done["heard"] == heard["text"]
        assert len(heard["text"]) == pytest.approx(heard["played_ms"] / 20, abs=1)
        assert heard["played_ms"] < 4000
        wait_until(lambda: not engine.open_streams)
        client.say("Hi.")
        assert (await client.until("session.done", 2))["utterance_index"] == 1


async def test_several_utterances_share_a_call(server: LiveServer) -> None:
    async with call(server.url) as client:
        for voice in ("alpha", "beta"):
            client.send("session.config", voice=voice)
            client.say("Hello there.")
        await client.until("session.done", 2)
        assert [m["utterance_index"] for m in client.of("session.done")] == [0, 1]
        assert [m["status"] for m in client.of("session.done")] == ["completed"] * 2


async def test_nonsense_is_answered_on_the_channel(server: LiveServer) -> None:
    async with call(server.url) as client:
        client.channel.send("{")
        assert (await client.until("error"))["error"]["code"] == "invalid_json"


async def test_binary_ends_the_call(server: LiveServer) -> None:
    async with call(server.url) as client:
        closed = asyncio.Event()
        client.channel.on("close", closed.set)
        client.channel.send(b"\0")
        assert (await client.until("error"))["error"]["code"] == "binary_message"
        await asyncio.wait_for(closed.wait(), 10)


@pytest.mark.parametrize("how", ["delete", "session.close", "gone"])
async def test_a_call_ends_cleanly(server: LiveServer, engine: FakeEngine, how: str) -> None:
    async with call(server.url) as client:
        client.say(LONG)
        await client.until("audio.start")
        if how == "delete":
            async with httpx.AsyncClient() as http:
                assert (await http.delete(server.url + client.location)).status_code == 204
        elif how == "session.close":
            client.send("session.close")
            assert (await client.until("session.done"))["status"] == "cancelled"
        else:
            await client.close()
        await asyncio.to_thread(assert_nothing_left, server, engine)
        async with httpx.AsyncClient() as http:
            assert (await http.delete(server.url + client.location)).status_code == 404


async def test_eight_calls_at_once_each_hear_their_own_voice() -> None:
    voices = [f"v{k}" for k in range(8)]
    engine = ToneEngine(voices)
    with live_server([engine]) as server:

        async def one(voice: str) -> tuple[float, float]:
            async with call(server.url) as client:
                client.send("session.config", voice=voice)
                client.say("I speak with a voice of my own.")
                done = await client.until("session.done")
                assert done["status"] == "completed"
                await client.wait(lambda: is_loud(client.heard) and not is_loud(client.heard[-4800:]))
                loud = client.heard[np.abs(client.heard) > 0.01]
                first, last = np.flatnonzero(np.abs(client.heard) > 0.01)[[0, -1]]
                assert len(loud) / (last - first) > 0.8  # no holes
                return pitch(client.heard[first:last]), (last - first) / 48000 - done["duration_ms"] / 1000

        spoken = await asyncio.gather(*(one(voice) for voice in voices))
        assert [hz for hz, _ in spoken] == pytest.approx([300 + 150 * k for k in range(8)], abs=5)
        assert max(abs(excess) for _, excess in spoken) < 0.3
        await asyncio.to_thread(assert_nothing_left, server, engine)


async def test_an_utterance_is_computed_only_so_far_ahead() -> None:
    gate = StepGate()
    engine = ToneEngine(before_step=gate)
    gate.open()
    with live_server([engine]) as server:
        async with call(server.url) as client:
            client.say("a" * 3000 + ".")  # 60 s
            await client.wait(lambda: is_loud(client.heard))
            assert engine.steps * 0.02 < 20


# -- offers


async def test_an_offer_needs_its_content_type(server: LiveServer) -> None:
    answer = await post_offer(server.url, "v=0", **{"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"\xff\xfe",
        b"v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
        b"m=audio \r\nm=application \r\na=candidate:\r\n",
    ],
)
async def test_what_is_no_offer_is_refused(server: LiveServer, engine: FakeEngine, body: bytes) -> None:
    answer = await post_offer(server.url, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_sdp")
    assert_nothing_left(server, engine)


async def test_an_offer_that_does_not_listen_is_refused(server: LiveServer) -> None:
    client = CallClient()
    offer = (await client.offer()).replace("a=recvonly", "a=inactive")
    answer = await post_offer(server.url, offer)
    await client.close()
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_sdp")


async def test_an_offer_over_the_limit_is_refused_while_it_comes(server: LiveServer) -> None:
    answer = await post_offer(server.url, b"v=0\r\n" + b"a=x\r\n" * 10_000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "payload_too_large")


async def test_ice_servers_come_from_the_configuration(server: LiveServer) -> None:
    async with httpx.AsyncClient() as http:
        assert (await http.get(server.url + "/v1/ice")).json() == {"iceServers": []}
    with live_server([FakeEngine()], ice_servers=("stun:127.0.0.1:9", "turn:me:secret@turn.example.org")) as other:
        async with httpx.AsyncClient() as http:
            assert (await http.get(other.url + "/v1/ice")).json() == {
                "iceServers": [
                    {"urls": ["stun:127.0.0.1:9"]},
                    {"urls": ["turn:turn.example.org"], "username": "me", "credential": "secret"},
                ]
            }


async def test_a_token_opens_one_call() -> None:
    key = "a-key-of-enough-characters"
    with live_server([FakeEngine()], api_keys=(key,)) as server:
        client = CallClient()
        offer = await client.offer()
        assert (await post_offer(server.url, offer)).status_code == 401
        async with httpx.AsyncClient(base_url=server.url) as http:
            answer = await http.post("/v1/audio/speech/token", headers={"Authorization": f"Bearer {key}"})
            token = {"Authorization": f"Bearer {answer.json()['token']}"}
            assert (await http.get("/v1/ice", headers=token)).status_code == 200
        assert (await post_offer(server.url, offer, **token)).status_code == 201
        assert (await post_offer(server.url, offer, **token)).status_code == 401
        await client.close()


async def test_pending_offers_are_bounded_and_abandoned_ones_leave_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """200 offers, most of them never taken up: 20 at a time, and room again when they have timed out."""
    monkeypatch.setattr("vivavoce.transports.webrtc.call.CONNECT_TIMEOUT_S", 0.5)
    engine = FakeEngine()
    with live_server([engine]) as server:
        client = CallClient()
        offer = await client.offer()
        statuses: list[int] = []
        while len([s for s in statuses if s == 201]) < 200:
            answers = await asyncio.gather(*(post_offer(server.url, offer) for _ in range(25)))
            statuses += [answer.status_code for answer in answers]
            assert len(open_calls(server)) <= 20
            if 503 in statuses[-25:]:
                await asyncio.to_thread(wait_until, lambda: not open_calls(server))
        assert set(statuses) == {201, 503}
        await asyncio.to_thread(assert_nothing_left, server, engine)
        await client.close()
        async with call(server.url) as taken_up:
            taken_up.say("Hi.")
            assert (await taken_up.until("session.done"))["status"] == "completed"


async def test_a_call_that_was_not_taken_up_can_be_hung_up(
    server: LiveServer, engine: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    client = CallClient()
    location = (await post_offer(server.url, await client.offer())).headers["location"]
    async with httpx.AsyncClient(verify=False) as http:
        assert (await http.delete(server.url + location)).status_code == 204
    await asyncio.to_thread(assert_nothing_left, server, engine)
    await client.close()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_pages_of_other_sites_may_not_call(server: LiveServer) -> None:
    for foreign in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        answer = await post_offer(server.url, "v=0", **foreign)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden_origin")


async def test_an_idle_call_is_closed() -> None:
    engine = FakeEngine()
    with live_server([engine], idle_timeout_s=0.5) as server:
        async with call(server.url) as client:
            assert (await client.until("session.closing"))["reason"] == "idle_timeout"
        await asyncio.to_thread(assert_nothing_left, server, engine)


async def test_shutdown_lets_the_utterance_finish_and_says_goodbye() -> None:
    engine = FakeEngine()
    with live_server([engine]) as server:
        async with call(server.url) as client:
            client.say("Hello there, friends.")
            await client.until("audio.start")
            drained = asyncio.run_coroutine_threadsafe(server.server.drain(), server.loop)
            assert (await client.until("session.done"))["status"] == "completed"
            assert (await client.until("session.closing"))["reason"] == "shutdown"
            await asyncio.wait_for(asyncio.wrap_future(drained), 10)
            late = CallClient()
            answer = await post_offer(server.url, await late.offer())
            await late.close()
            assert answer.status_code == 503
        assert_nothing_left(server, engine)
