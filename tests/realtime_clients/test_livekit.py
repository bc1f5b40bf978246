"""LiveKit's `openai.realtime.RealtimeModel` in an `AgentSession`, with a loudspeaker and a microphone of the test's."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from livekit import rtc
from livekit.agents import Agent, AgentSession, function_tool
from livekit.agents.voice.io import AudioInput, AudioOutput, AudioOutputCapabilities
from livekit.plugins import openai

from realtime_clients.chat_server import ChatServer
from realtime_clients.conversation import INSTRUCTIONS, RATE, SUNNY, Talk, Voice, hold


class Microphone(AudioInput):
    """Gives what it is given."""

    def __init__(self) -> None:
        super().__init__(label="microphone")
        self._frames: asyncio.Queue[rtc.AudioFrame] = asyncio.Queue()

    async def __anext__(self) -> rtc.AudioFrame:
        return await self._frames.get()

    async def speak(self, pcm: bytes) -> None:
        for at in range(0, len(pcm), 2400):
            piece = pcm[at : at + 2400]
            self._frames.put_nowait(rtc.AudioFrame(piece, RATE, 1, len(piece) // 2))


class Loudspeaker(AudioOutput):
    """Plays as fast as real ones do; one segment is one reply."""

    def __init__(self, talk: Talk) -> None:
        super().__init__(label="loudspeaker", capabilities=AudioOutputCapabilities(pause=False), sample_rate=RATE)
        self._talk = talk
        self._segment = 0
        self._began_s: float | None = None
        self._length_s = 0.0
        self._end: asyncio.TimerHandle | None = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if self._began_s is None:
            self._began_s, self._length_s = time.monotonic(), 0.0
            self._segment += 1
            self.on_playback_started(created_at=time.time())
        self._length_s += frame.duration
        self._talk.hear(str(self._segment), bytes(frame.data))

    def flush(self) -> None:
        super().flush()
        if self._began_s is not None:
            left_s = max(0.0, self._length_s - (time.monotonic() - self._began_s))
            self._end = asyncio.get_running_loop().call_later(left_s, self._finish, False)

    def clear_buffer(self) -> None:
        if self._began_s is not None:
            self._talk.tell(interruptions=1)
            self._finish(True)

    def _finish(self, interrupted: bool) -> None:
        if self._began_s is None:
            return
        if self._end is not None:
            self._end.cancel()
        played_s = min(self._length_s, time.monotonic() - self._began_s)
        self._began_s, self._end = None, None
        self.on_playback_finished(playback_position=played_s, interrupted=interrupted)


async def test_livekit(url: str, voice: Voice, chat: ChatServer) -> None:
    microphone = Microphone()
    talk = Talk(microphone.speak)

    class Assistant(Agent):
        @function_tool
        async def get_weather(self, city: str) -> str:
            """Get the weather of a city."""
            talk.calls.append(("get_weather", {"city": city}))
            return SUNNY

    model = openai.realtime.RealtimeModel(base_url=f"{url}/v1", api_key="any", model="gpt-realtime")
    session: AgentSession[None] = AgentSession(llm=model)
    session.input.audio = microphone
    session.output.audio = Loudspeaker(talk)

    @session.on("conversation_item_added")
    def added(event: Any) -> None:
        if event.item.type == "message" and event.item.role == "assistant":
            talk.tell(finished=1)

    @session.on("user_input_transcribed")
    def transcribed(event: Any) -> None:
        if event.is_final:
            talk.words.append(event.transcript)

    @session.on("function_tools_executed")
    def executed(event: Any) -> None:
        talk.tell(finished=1)

    @session.on("error")
    def failed(event: Any) -> None:
        talk.errors.append(event.error)

    await session.start(Assistant(instructions=INSTRUCTIONS))
    try:
        await hold(talk, voice, chat)
    finally:
        await session.aclose()
