"""Whatever client and engine do, in whatever order: each utterance ends exactly once, and nothing of it follows."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from vivavoce.errors import EngineError
from vivavoce.protocols.commands import Begin, Cancel, Close, Command, End, Flush, Write
from vivavoce.protocols.native.server_messages import Limits, Word
from vivavoce.protocols.native.session import Session

NONSENSE = ["", "{", "[]", '{"type":1}', '{"type":"input.text"}', '{"type":"session.config","speed":"fast"}', "null"]
OF_AN_UTTERANCE = {"audio.start", "audio.timestamps", "audio.delta", "audio.done", "session.done"}


class SessionMachine(RuleBasedStateMachine):
    """Plays the client, the speaking side and the clock; watches what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.session = Session("s", Limits(max_pending_utterances=2, formats=("pcm",)))
        self.now = 0.0
        self.begun: list[int] = []
        self.ended_input: set[int] = set()
        self.finished: dict[int, str] = {}  # by the speaking side
        self.done: dict[int, str] = {}  # as the client was told
        self.written: dict[int, str] = {}
        self.closed: Close | None = None
        self.first_message_read = False

    # -- the client

    @rule(text=st.text(max_size=6))
    def write(self, text: str) -> None:
        self._say("input.text", text=text)

    @rule(kind=st.sampled_from(["input.done", "input.flush", "input.cancel", "input.cancel"]))
    def control(self, kind: str) -> None:
        self._say(kind)

    @rule(audio=st.sampled_from(["binary", "base64"]))
    def configure(self, audio: str) -> None:
        self._say("session.config", audio=audio)

    @rule(index=st.integers(0, 4), played_ms=st.floats(0, 1e6))
    def report_position(self, index: int, played_ms: float) -> None:
        self._say("playback.position", utterance_index=index, played_ms=played_ms)

    @rule(text=st.sampled_from(NONSENSE))
    def send_nonsense(self, text: str) -> None:
        self._take(self.session.receive_message(text, self.now))

    @precondition(lambda self: self.now > 3)
    @rule(data=st.sampled_from([b"\0", "x" * 300_000]))
    def send_what_cannot_be_read(self, data: str | bytes) -> None:
        self._take(self.session.receive_message(data, self.now))
        assert self.closed is not None

    @precondition(lambda self: self.now > 3)
    @rule()
    def say_goodbye(self) -> None:
        self._say("session.close")

    # -- the speaking side; also for utterances that are done, as a late engine would

    @precondition(lambda self: self.begun)
    @rule(back=st.integers(0, 3), sentence=st.integers(0, 9))
    def speak(self, back: int, sentence: int) -> None:
        index = self.begun[max(0, len(self.begun) - 1 - back)]
        outbox = self.session.outbox
        outbox.start_sentence(index, sentence, "Hi. ", format="pcm", sample_rate=24000)
        outbox.send_words(index, [Word("Hi", 0, 10)], estimated=True, start_ms=0)
        outbox.send_audio(index, bytes([index]))

    @precondition(lambda self: self.begun)
    @rule(back=st.integers(0, 3), status=st.sampled_from(["completed", "failed"]))
    def finish(self, back: int, status: str) -> None:
        index = self.begun[max(0, len(self.begun) - 1 - back)]
        if status == "failed" and self.session.outbox.is_open(index):
            self._take(self.session.report(EngineError("broken"), self.now, index))
        self._finish(index, status)

    @rule(seconds=st.floats(0, 2))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    # -- what must hold

    @invariant()
    def messages_keep_the_rules(self) -> None:
        for sent in self.session.messages_to_send():
            if isinstance(sent, bytes):
                assert sent[0] not in self.done
                continue
            self._check(json.loads(sent))

    def teardown(self) -> None:
        self._take(self.session.receive_message('{"type":"session.close"}', self.now))
        for index in self.session.outbox.open_utterances:  # those of a connection closed for its errors
            self._finish(index, "cancelled")
        self.messages_keep_the_rules()
        assert set(self.done) == set(self.begun)
        assert self.done == self.finished

    def _check(self, message: dict[str, Any]) -> None:
        assert (message["type"] == "session.created") != self.first_message_read
        self.first_message_read = True
        if message["type"] in OF_AN_UTTERANCE and "utterance_index" in message:
            assert message["utterance_index"] in self.begun
            assert message["utterance_index"] not in self.done
        if message["type"] == "session.done":
            self.done[message["utterance_index"]] = message["status"]

    def _say(self, kind: str, **fields: Any) -> None:
        self._take(self.session.receive_message(json.dumps({"type": kind, **fields}), self.now))

    def _take(self, events: list[Command]) -> None:
        for event in events:
            assert self.closed is None
            match event:
                case Begin(index):
                    assert index == len(self.begun)
                    self.begun.append(index)
                case Write(index, text):
                    assert text
                    assert self._takes_text(index)
                    assert text.encode("utf-8")
                case Flush(index):
                    assert self._takes_text(index)
                case End(index):
                    assert self._takes_text(index)
                    self.ended_input.add(index)
                case Cancel(index):
                    self._finish(index, "cancelled")
                case Close():
                    self.closed = event

    def _takes_text(self, index: int) -> bool:
        return index == self.begun[-1] and index not in self.ended_input and index not in self.finished

    def _finish(self, index: int, status: str) -> None:
        self.finished.setdefault(index, status)
        self.session.outbox.finish(index, status, duration_ms=1)  # type: ignore[arg-type]  # one of the three


SessionMachine.TestCase.settings = settings(
    max_examples=1000, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
TestSessionMachine = SessionMachine.TestCase
