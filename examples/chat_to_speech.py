"""Speaks a chat model's answer while it is written: python examples/chat_to_speech.py "Tell me a story" story.wav"""

import asyncio
import json
import os
import sys
import wave

from openai import AsyncOpenAI  # pip install openai websockets
from websockets.asyncio.client import ClientConnection, connect

URL = os.environ.get("VIVAVOCE_URL", "http://127.0.0.1:7860").replace("http", "ws", 1) + "/v1/audio/speech/stream"


async def write(socket: ClientConnection, question: str) -> None:
    messages = [{"role": "user", "content": question}]
    model = os.environ.get("CHAT_MODEL", "gpt-4o-mini")
    answer = await AsyncOpenAI().chat.completions.create(model=model, messages=messages, stream=True)
    async for chunk in answer:
        delta = chunk.choices[0].delta.content if chunk.choices else None
        await socket.send(json.dumps({"type": "input.text", "text": delta or ""}))
    await socket.send(json.dumps({"type": "input.done"}))


async def main(question: str, path: str) -> None:
    async with connect(URL, subprotocols=["vivavoce.v1"]) as socket, asyncio.TaskGroup() as tasks:
        await socket.send(json.dumps({"type": "session.config", "sample_rate": 24000, "pace": "burst"}))
        tasks.create_task(write(socket, question))
        with wave.open(path, "wb") as sound:
            sound.setnchannels(1), sound.setsampwidth(2), sound.setframerate(24000)
            async for message in socket:
                if isinstance(message, bytes):
                    sound.writeframes(message)  # the first of these come before the answer is complete
                elif json.loads(message)["type"] == "session.done":
                    break


asyncio.run(main(*sys.argv[1:]))
