"""Whatever client and server do, in whatever order: ids are known before use, ends come once, nothing comes after."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from realtime_client import Client
from vivavoce.errors import EngineError
from vivavoce.protocols.commands import Close
from vivavoce.protocols.realtime.commands import Cancel, Command, Commit, Hear, HearItem, Respond, Truncate
from vivavoce.protocols.realtime.response import Response
from vivavoce.protocols.realtime.session import Limits

NONSENSE = ["", "{", "[]", '{"type":1}', '{"type":"session.update"}', '{"type":"response.create","response":3}', "null"]
SESSIONS: list[dict[str, Any]] = [
    {"type": "realtime"},
    {"type": "transcription"},
    {"output_modalities": ["text"]},
    {"output_modalities": ["audio"], "instructions": None},
    {"audio": {"input": {"turn_detection": None}}},
    {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}, "transcription": {}}}},
    {"audio": {"input": {"format": {"type": "audio/pcmu"}}, "output": {"format": {"type": "audio/pcma"}}}},
    {"audio": {"output": {"voice": "x", "speed": 100}}},
    {"vivavoce": {"events": ["words"]}},
]


class RealtimeMachine(RuleBasedStateMachine):
    """Plays the client, the listening and the speaking side, and the clock; watches what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.client = Client(limits=Limits(max_errors_per_10_s=8, max_events_per_s=30, audio_burst_s=5.0))
        self.closed: Close | None = None
        self.responses: list[Response] = []  # all that were asked for
        self.items: list[str] = []  # ids that the client knows
        self.pending: str | None = None  # the id that speech was announced with
        self.speaks = False
        self.began: set[str] = set()  # responses, as the client was told
        self.over: set[str] = set()
        self.output_items: dict[str, str] = {}  # open ones -> their response
        self.first = True

    # -- the client

    @rule(session=st.sampled_from(SESSIONS))
    def update(self, session: dict[str, Any]) -> None:
        self._say("session.update", session=session)

    @rule(milliseconds=st.sampled_from([0, 20, 150, 900]))
    def append(self, milliseconds: int) -> None:
        self._say("input_audio_buffer.append", audio=base64.b64encode(bytes(48 * milliseconds)).decode())

    @rule(kind=st.sampled_from(["input_audio_buffer.commit", "input_audio_buffer.clear", "output_audio_buffer.clear"]))
    def control(self, kind: str) -> None:
        self._say(kind)

    @rule(text=st.text(max_size=4), before=st.integers(-2, 8), audio=st.booleans())
    def create_item(self, text: str, before: int, audio: bool) -> None:
        part = {"type": "input_audio", "audio": "AAAA"} if audio else {"type": "input_text", "text": text}
        item = {"type": "message", "role": "user", "content": [part]}
        self._say(
            "conversation.item.create",
            item=item,
            previous_item_id={-2: None, -1: "root"}.get(before, self._item(before)),
        )

    @rule(kind=st.sampled_from(["truncate", "retrieve", "delete"]), which=st.integers(0, 8))
    def touch_item(self, kind: str, which: int) -> None:
        self._say(f"conversation.item.{kind}", item_id=self._item(which), content_index=0, audio_end_ms=10)

    @rule(aside=st.booleans(), text=st.booleans())
    def ask(self, aside: bool, text: bool) -> None:
        wishes: dict[str, Any] = {"output_modalities": ["text"]} if text else {}
        self._say("response.create", response=wishes | ({"conversation": "none", "input": []} if aside else {}))

    @rule(which=st.integers(-1, 3))
    def cancel(self, which: int) -> None:
        named = {} if which < 0 or which >= len(self.responses) else {"response_id": self.responses[which].id}
        self._say("response.cancel", **named)

    @rule(text=st.sampled_from(NONSENSE))
    def send_nonsense(self, text: str) -> None:
        self._take(self.client.session.receive_message(text, self.client.now))

    @precondition(lambda self: self.client.now > 3)
    @rule(data=st.sampled_from([b"\0", "x" * 1_100_000]))
    def send_what_cannot_be_read(self, data: str | bytes) -> None:
        self._take(self.client.session.receive_message(data, self.client.now))
        assert self.closed is not None

    # -- the listening side

    @rule(milliseconds=st.integers(0, 5000))
    def hear(self, milliseconds: int) -> None:
        self.client.session.input.speech_started(milliseconds)

    @rule(how=st.sampled_from(["turn", "noise", "idle"]))
    def hear_the_end(self, how: str) -> None:
        user = self.client.session.input
        user.speech_stopped(100)
        if how == "turn":
            user.commit()
            self._answer()
        elif how == "idle":
            user.idle(0, 100)

    @rule()
    def interrupt(self) -> None:
        self.client.session.responses.interrupt()

    @rule(which=st.integers(0, 8), fails=st.booleans())
    def understand(self, which: int, fails: bool) -> None:
        item, user = self._item(which), self.client.session.input
        if item not in self.client.session.conversation:
            return
        user.transcribing(item, "wor")
        if fails:
            user.transcription_failed(item, EngineError("broken"))
        else:
            user.transcribed(item, "words", seconds=1.0)

    # -- the speaking side; also for responses that are over, as a late one would

    @precondition(lambda self: self.responses)
    @rule(back=st.integers(0, 2), what=st.sampled_from(["say", "sound", "end", "call", "arguments", "end_call"]))
    def speak(self, back: int, what: str) -> None:
        response = self._response(back)
        match what:
            case "say":
                response.say("Hi ")
            case "sound":
                response.sound(bytes(481))
            case "end":
                response.end_message()
            case "call":
                response.call("call_1", "f", "{")
            case "arguments":
                response.add_arguments("}")
            case _:
                response.end_call()

    @precondition(lambda self: self.responses)
    @rule(back=st.integers(0, 2), fails=st.booleans())
    def finish(self, back: int, fails: bool) -> None:
        if fails:
            self._response(back).finish("failed", error=EngineError("broken"))
        else:
            self._response(back).finish()

    @precondition(lambda self: self.responses)
    @rule(back=st.integers(0, 2), cleared=st.booleans())
    def play(self, back: int, cleared: bool) -> None:
        self.client.session.responses.sounding(self._response(back).id)
        self.client.session.responses.sound_stopped(cleared=cleared)

    @rule(seconds=st.floats(0, 2))
    def wait(self, seconds: float) -> None:
        self.client.now += seconds

    # -- what must hold

    @invariant()
    def events_keep_the_rules(self) -> None:
        for event in self.client.read():
            assert self.first == (event["type"] == "session.created")
            self.first = False
            self._check(event["type"], event)

    def teardown(self) -> None:
        for response in self.client.session.responses.open:
            response.finish("cancelled")
        self.events_keep_the_rules()
        assert self.began == self.over == {response.id for response in self.responses}
        assert not self.output_items

    def _check(self, kind: str, event: dict[str, Any]) -> None:
        match kind:
            case "response.created":
                assert event["response"]["id"] not in self.began
                self.began.add(event["response"]["id"])
            case "response.done":
                response = event["response"]
                assert response["id"] in self.began - self.over
                assert response["id"] not in self.output_items.values()
                self.over.add(response["id"])
            case "response.output_item.added":
                assert event["item"]["id"] not in self.output_items
                self.output_items[event["item"]["id"]] = event["response_id"]
            case "response.output_item.done":
                assert self.output_items.pop(event["item"]["id"]) == event["response_id"]
            case "conversation.item.added":
                assert event["item"]["id"] not in self.items
                assert event["previous_item_id"] is None or event["previous_item_id"] in self.items
                self.items.append(event["item"]["id"])
            case "conversation.item.deleted":
                self.items.remove(event["item_id"])
            case "input_audio_buffer.speech_started":
                assert not self.speaks
                self.speaks, self.pending = True, event["item_id"]
            case "input_audio_buffer.speech_stopped":
                assert self.speaks
                assert event["item_id"] == self.pending
                self.speaks = False
            case "input_audio_buffer.committed":
                assert not self.speaks
                assert self.pending in (None, event["item_id"])
                self.pending = None
            case "input_audio_buffer.timeout_triggered":
                self.pending = event["item_id"]
            case "input_audio_buffer.cleared":
                assert not self.speaks
                self.pending = None
            case _ if kind.startswith("response."):
                assert event["response_id"] in self.began - self.over
                assert self.output_items[event["item_id"]] == event["response_id"]
            case _ if kind.startswith("conversation.item."):
                assert (event.get("item_id") or event["item"]["id"]) in self.items

    def _say(self, kind: str, **fields: Any) -> None:
        data = json.dumps({"type": kind, "event_id": "mine", **fields})
        self._take(self.client.session.receive_message(data, self.client.now))

    def _take(self, commands: list[Command]) -> None:
        for command in commands:
            assert self.closed is None
            match command:
                case Respond(response):
                    self.responses.append(response)
                case Cancel(response):
                    assert response.is_done
                case Commit(item_id) | HearItem(item_id) | Truncate(item_id):
                    assert item_id in self.client.session.conversation
                case Hear(data, _):
                    assert data
                case Close():
                    self.closed = command

    def _answer(self) -> None:
        response = self.client.session.respond()
        if response is not None:
            self.responses.append(response)

    def _response(self, back: int) -> Response:
        return self.responses[max(0, len(self.responses) - 1 - back)]

    def _item(self, which: int) -> str:
        return self.items[which] if 0 <= which < len(self.items) else "item_unknown"


RealtimeMachine.TestCase.settings = settings(
    max_examples=300, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
TestRealtimeMachine = RealtimeMachine.TestCase
