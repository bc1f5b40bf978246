"""A live session over a fake speaker and fake sinks: no sockets, no sleeping, the clock is the test's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fake_speaker import FakeCarrier, FakeSink, FakeSpeaker, FakeSpoken, chunk
from vivavoce.errors import EmptyInput, GenerationFailed, Overloaded
from vivavoce.metrics import Metrics
from vivavoce.protocols.commands import Close
from vivavoce.protocols.native.server_messages import Limits
from vivavoce.protocols.native.session import Session
from vivavoce.speaking.live_session import LiveSession
from vivavoce.synthesis.speaker import Unspoken


class Talk:
    """A session, run, and its client."""

    def __init__(self, sample_rate: int | None = None) -> None:
        self.now_s = 100.0
        self.speaker = FakeSpeaker()
        self.carrier = FakeCarrier(sample_rate)
        self.metrics = Metrics()
        session = Session("sess_1", Limits(formats=("pcm", "mp3")), ())
        self.live = LiveSession(
            self.speaker, session, self.carrier.carrier, owner="me", metrics=self.metrics, now=lambda: self.now_s
        )
        self.said: list[dict[str, Any] | bytes] = []
        self.news = asyncio.Event()
        self._running = asyncio.create_task(self.live.run())
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while messages := await self.live.next_messages():
            self.said += [json.loads(each) if isinstance(each, str) else each for each in messages]
            self.news.set()

    def tell(self, kind: str, **fields: Any) -> None:
        self.live.receive(json.dumps({"type": kind, **fields}))

    def say(self, text: str) -> None:
        self.tell("input.text", text=text)
        self.tell("input.done")

    async def speaking(self, count: int = 1) -> FakeSpoken:
        """The `count`-th utterance, once it speaks."""
        while len(self.carrier.sinks) < count:
            self.speaker.begun.clear()
            await asyncio.wait_for(self.speaker.begun.wait(), 5)
            await asyncio.sleep(0)
        return self.speaker.spoken[count - 1]

    async def until(self, kind: str, count: int = 1) -> dict[str, Any]:
        """The `count`-th message of this kind that the client was sent."""
        while len(self.of(kind)) < count:
            self.news.clear()
            await asyncio.wait_for(self.news.wait(), 5)
        return self.of(kind)[count - 1]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.said if isinstance(each, dict) and each["type"] == kind]

    @property
    def sink(self) -> FakeSink:
        return self.carrier.sinks[-1]

    def counted(self, outcome: str, reason: str = "none") -> float:
        labels = {"route": "fake", "outcome": outcome, "reason": reason}
        return self.metrics.registry.get_sample_value("voice_requests_total", labels) or 0.0

    async def leave(self) -> None:
        for task in (self._running, self._reading):
            task.cancel()
        await asyncio.gather(self._running, self._reading, return_exceptions=True)


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    made = Talk()
    yield made
    await made.leave()


async def test_what_is_written_before_it_speaks_waits_for_it(talk: Talk) -> None:
    talk.tell("input.text", text="Hel")
    talk.tell("input.text", text="lo.")
    talk.tell("input.flush")
    talk.tell("input.done")
    spoken = await talk.speaking()
    assert spoken.told == ["Hel", "lo.", "<flush>", "<end>"]
    spoken.chunks.put_nowait(chunk("Hello."))
    spoken.chunks.put_nowait(None)
    done = await talk.until("session.done")
    assert (done["status"], done["duration_ms"], done["total_sentences"]) == ("completed", 100, 1)
    kinds = [each["type"] if isinstance(each, dict) else "audio" for each in talk.said]
    assert kinds == ["session.created", "audio.start", "audio", "audio.done", "session.done"]
    assert talk.sink.finished
    assert spoken.left
    assert talk.counted("completed") == 1


async def test_the_wish_reaches_the_speaker_and_the_format_the_sink(talk: Talk) -> None:
    talk.tell("session.config", voice="alpha", speed=2, pace="burst", response_format="MP3", sample_rate=16000)
    talk.say("Hi.")
    request = (await talk.speaking()).request
    assert (request.voice, request.options.speed, request.owner) == (talk.speaker.choose(), 2, "me")
    assert (request.transport, request.paced, request.sample_rate) == ("fake", False, 16000)
    assert (talk.sink.format.name, talk.sink.format.sample_rate, talk.sink.format.paced) == ("mp3", 16000, False)


async def test_a_carrier_may_decide_the_rate() -> None:
    talk = Talk(sample_rate=48_000)
    talk.tell("session.config", sample_rate=16000)
    talk.say("Hi.")
    assert (await talk.speaking()).request.sample_rate == 48_000
    await talk.leave()


async def test_utterances_speak_one_after_another(talk: Talk) -> None:
    talk.say("One.")
    talk.say("Two.")
    first = await talk.speaking()
    assert len(talk.speaker.spoken) == 1
    first.chunks.put_nowait(None)
    second = await talk.speaking(2)
    assert first.left
    assert second.told == ["Two.", "<end>"]


async def test_cancel_is_silence_in_the_same_tick(talk: Talk) -> None:
    talk.say("Hello.")
    spoken = await talk.speaking()
    spoken.chunks.put_nowait(chunk("Hello.", ends=False))
    await talk.until("audio.start")
    talk.tell("playback.position", utterance_index=0, played_ms=300)
    talk.tell("input.cancel")
    assert talk.sink.stopped
    assert talk.live.session.outbox.open_utterances == []
    heard, done = await talk.until("playback.heard"), await talk.until("session.done")
    assert (heard["text"], heard["played_ms"], done["heard"], done["status"]) == ("Hel", 300, "Hel", "cancelled")
    assert spoken.told[-1] == "<played 0.3>"
    spoken.chunks.put_nowait(chunk("late"))
    talk.say("Next.")
    await talk.speaking(2)
    assert spoken.left
    assert len(talk.of("audio.start")) == 1


async def test_a_cancel_before_it_speaks_is_told_and_never_spoken(talk: Talk) -> None:
    talk.say("One.")
    await talk.speaking()
    talk.say("Two.")
    talk.tell("input.cancel")
    await talk.until("session.done", 2)
    assert [each["status"] for each in talk.of("session.done")] == ["cancelled", "cancelled"]
    talk.say("Three.")
    assert (await talk.speaking(2)).told == ["Three.", "<end>"]


@pytest.mark.parametrize(
    ("error", "code"), [(GenerationFailed("collapsed"), "generation_failed"), (Overloaded(), "server_overloaded")]
)
async def test_a_failure_is_told_once_and_the_next_one_speaks(talk: Talk, error: Any, code: str) -> None:
    talk.say("One.")
    (await talk.speaking()).chunks.put_nowait(error)
    assert (await talk.until("error"))["error"]["code"] == code
    assert (await talk.until("session.done"))["status"] == "failed"
    assert talk.counted("failed", code) == 1
    talk.say("Two.")
    (await talk.speaking(2)).chunks.put_nowait(None)
    assert (await talk.until("session.done", 2))["status"] == "completed"


async def test_a_refusal_is_told_as_a_failure(talk: Talk) -> None:
    talk.speaker.refusal = Overloaded()
    talk.say("One.")
    assert (await talk.until("session.done"))["status"] == "failed"
    assert (await talk.until("error"))["error"]["code"] == "server_overloaded"
    talk.speaker.refusal = None
    talk.tell("session.config", voice="nobody")
    talk.say("Two.")
    assert (await talk.until("error", 2))["error"]["code"] == "voice_not_found"


async def test_nothing_to_say_is_done_without_an_error(talk: Talk) -> None:
    talk.speaker.refusal = EmptyInput()
    talk.say("...")
    assert (await talk.until("session.done"))["status"] == "completed"
    assert not talk.of("error")


async def test_what_nobody_foresaw_ends_the_utterance_and_not_the_connection(talk: Talk) -> None:
    talk.say("One.")
    spoken = await talk.speaking()
    spoken.chunks.put_nowait(RuntimeError("what a library says"))
    error = await talk.until("error")
    assert error["error"]["code"] == "engine_error"
    assert "library" not in error["error"]["message"]
    assert (await talk.until("session.done"))["status"] == "failed"


async def test_words_are_told_where_they_were_asked_for(talk: Talk) -> None:
    for timestamps, expected in (("none", 0), ("word", 1)):
        talk.tell("session.config", timestamps=timestamps)
        talk.say("Hi.")
        index = len(talk.carrier.sinks) + 1
        spoken = await talk.speaking(index)
        spoken.chunks.put_nowait(chunk("Hi."))
        spoken.chunks.put_nowait(None)
        await talk.until("session.done", index)
        assert len(talk.of("audio.timestamps")) == expected
    [told] = talk.of("audio.timestamps")
    assert told["words"] == [{"text": "Hi.", "start_ms": 0, "end_ms": 100}]


async def test_text_that_waits_is_bounded_over_all_utterances(talk: Talk) -> None:
    limit = talk.live.session.limits.max_buffered_chars
    talk.say("One.")
    await talk.speaking()
    talk.tell("input.text", text="a" * (limit - 10))
    talk.tell("input.text", text="b" * 11)
    error = await talk.until("error")
    assert (error["error"]["code"], error["utterance_index"]) == ("string_above_max_length", 1)
    talk.tell("input.text", text="c" * 10)
    talk.speaker.spoken[0].chunks.put_nowait(None)
    assert (await talk.speaking(2)).told == ["a" * (limit - 10), "c" * 10]


async def test_sound_and_messages_keep_it_awake(talk: Talk) -> None:
    talk.say("Hi.")
    spoken = await talk.speaking()
    talk.now_s = 150.0
    spoken.chunks.put_nowait(chunk("Hi."))
    await talk.until("audio.done")
    assert talk.live.active_s == 150.0
    talk.now_s = 160.0
    talk.tell("nonsense")
    assert talk.live.active_s == 160.0


async def test_draining_waits_for_what_is_spoken(talk: Talk) -> None:
    talk.say("Hi.")
    spoken = await talk.speaking()
    talk.live.drain()
    assert talk.live.closing is None
    spoken.chunks.put_nowait(None)
    assert (await talk.until("session.closing"))["reason"] == "shutdown"
    assert talk.live.closing == Close(1001, "shutdown")
    assert (await talk.until("session.done"))["status"] == "completed"


async def test_an_idle_session_closes_at_once_when_draining(talk: Talk) -> None:
    talk.live.drain()
    assert talk.live.closing == Close(1001, "shutdown")
    talk.live.close(1000, "bye")
    assert talk.live.closing == Close(1001, "shutdown"), "the first reason stays"


async def test_a_client_that_goes_stops_what_is_spoken(talk: Talk) -> None:
    talk.say("One.")
    spoken = await talk.speaking()
    talk.say("Two.")
    await talk.leave()
    assert spoken.left
    assert talk.counted("cancelled", "client_gone") == 2


async def test_the_native_stream_does_not_hear(talk: Talk) -> None:
    assert not talk.live.hears
    talk.live.hear(chunk("x").audio.samples)
    assert not talk.speaker.spoken


async def test_a_message_that_cannot_be_acted_on_ends_everything_with_a_reason(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Every open utterance has its one end, and the connection has its own."""
    talk.say("One.")
    await talk.speaking()
    talk.say("Two.")

    def fail(data: str | bytes, now: float) -> list[Any]:
        raise OverflowError("int too large")

    monkeypatch.setattr(talk.live.session, "receive_message", fail)
    talk.tell("input.flush")
    await talk.until("session.done", 2)
    assert [each["status"] for each in talk.of("session.done")] == ["failed", "failed"]
    assert talk.live.closing == Close(1011, "engine_error")
    assert "could not be acted on" in caplog.text


async def test_what_is_left_out_is_told_once_before_the_sound_it_stands_before(talk: Talk) -> None:
    talk.say("Fine. 你好 Well. 東京")
    spoken = await talk.speaking()
    spoken.unspoken = [Unspoken("你好", 6)]
    spoken.chunks.put_nowait(chunk("Fine."))
    await talk.until("audio.start")
    spoken.chunks.put_nowait(chunk(" Well."))
    await talk.until("audio.start", 2)
    spoken.unspoken = [*spoken.unspoken, Unspoken("東京", 14)]
    spoken.chunks.put_nowait(None)
    await talk.until("session.done")
    left_out = [(each["text"], each["start"]) for each in talk.of("audio.unspoken")]
    assert left_out == [("你好", 6), ("東京", 14)]
    kinds = [each["type"] for each in talk.said if isinstance(each, dict)]
    assert kinds.index("audio.unspoken") < kinds.index("audio.start")
    assert kinds[-1] == "session.done"
