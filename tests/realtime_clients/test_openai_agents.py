"""openai-agents for Python: a `RealtimeRunner` over a WebSocket."""

from __future__ import annotations

import asyncio
from typing import Any

from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimeRunner

from realtime_clients.chat_server import ChatServer
from realtime_clients.conversation import INSTRUCTIONS, SUNNY, Talk, Voice, hold


async def test_openai_agents(url: str, voice: Voice, chat: ChatServer) -> None:
    calls: list[tuple[str, Any]] = []

    @function_tool
    def get_weather(city: str) -> str:
        """Get the weather of a city."""
        calls.append(("get_weather", {"city": city}))
        return SUNNY

    agent = RealtimeAgent(name="assistant", instructions=INSTRUCTIONS, tools=[get_weather])
    address = f"{url.replace('http', 'ws')}/v1/realtime?model=gpt-realtime"
    session = await RealtimeRunner(agent).run(model_config={"url": address, "api_key": "any"})
    async with session:

        async def speak(pcm: bytes) -> None:
            for at in range(0, len(pcm), 4800):
                await session.send_audio(pcm[at : at + 4800])

        talk = Talk(speak, calls=calls)

        async def listen() -> None:
            async for event in session:
                follow(event)

        def follow(event: Any) -> None:
            match event.type:
                case "audio":
                    talk.hear(event.audio.response_id, event.audio.data)
                case "audio_interrupted":
                    talk.tell(interruptions=1)
                case "raw_model_event" if event.data.type == "turn_ended":
                    talk.tell(finished=1)
                case "raw_model_event" if event.data.type == "input_audio_transcription_completed":
                    talk.words.append(event.data.transcript)
                case "error":
                    talk.errors.append(event.error)

        listening = asyncio.create_task(listen())
        try:
            await hold(talk, voice, chat)
        finally:
            listening.cancel()
