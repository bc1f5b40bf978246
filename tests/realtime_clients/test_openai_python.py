"""openai-python's `client.realtime`."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

from openai import AsyncOpenAI

from realtime_clients.chat_server import ChatServer
from realtime_clients.conversation import INSTRUCTIONS, SUNNY, WEATHER, Talk, Voice, hold


async def test_openai_python(url: str, voice: Voice, chat: ChatServer) -> None:
    client = AsyncOpenAI(api_key="any", base_url=f"{url}/v1", websocket_base_url=f"{url.replace('http', 'ws')}/v1")
    async with client.realtime.connect(model="gpt-realtime") as connection:
        audio: Any = {"input": {"transcription": {"model": "whisper-1"}}}
        tools: Any = [WEATHER]
        await connection.session.update(
            session={"type": "realtime", "instructions": INSTRUCTIONS, "audio": audio, "tools": tools}
        )

        async def speak(pcm: bytes) -> None:
            for at in range(0, len(pcm), 4800):
                await connection.input_audio_buffer.append(audio=base64.b64encode(pcm[at : at + 4800]).decode())

        talk = Talk(speak)

        async def listen() -> None:
            async for event in connection:
                await follow(event)

        async def follow(event: Any) -> None:
            match event.type:
                case "response.output_audio.delta":
                    talk.hear(event.response_id, base64.b64decode(event.delta))
                case "response.done":
                    interrupted = event.response.status == "cancelled"
                    talk.tell(finished=1, interruptions=int(interrupted))
                case "conversation.item.input_audio_transcription.completed":
                    talk.words.append(event.transcript)
                case "response.function_call_arguments.done":
                    talk.calls.append((event.name, json.loads(event.arguments)))
                    item: Any = {"type": "function_call_output", "call_id": event.call_id, "output": SUNNY}
                    await connection.conversation.item.create(item=item)
                    await connection.response.create()
                case "error":
                    talk.errors.append(event.error)

        listening = asyncio.create_task(listen())
        try:
            await hold(talk, voice, chat)
        finally:
            listening.cancel()
