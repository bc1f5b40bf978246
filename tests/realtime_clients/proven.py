"""The table of what stock clients did, which stands in the README between two marks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

README: Final = Path(__file__).parents[2] / "README.md"
BEGIN: Final = "<!-- proven with stock clients; written by `make test-realtime-clients` -->"
END: Final = "<!-- end of what was proven -->"
CONVERSATION: Final = "three spoken turns, an interruption, a function call"
TRANSCRIPTION: Final = "live transcription"
RECORDINGS: Final = "recordings: json, text, srt, vtt, verbose_json with words and segments, events, translations"
WORDS: Final = "recordings: text, words, segments"
TEXT: Final = "recordings: text"
CLIENTS: Final[Mapping[str, tuple[str, str, str]]] = {  # test -> (client, carrier, what it does)
    "test_openai_python": ("openai-python 3.57.0 `client.realtime`", "WebSocket", CONVERSATION),
    "test_openai_node": ("openai-node 7.57.0 `OpenAIRealtimeWS`", "WebSocket over TLS", CONVERSATION),
    "test_openai_agents": ("openai-agents 0.24.0 (Python)", "WebSocket", CONVERSATION),
    "test_agents_realtime": ("@openai/agents-realtime 0.20.0", "WebSocket", CONVERSATION),
    "test_agents_realtime_in_chromium": ("@openai/agents-realtime 0.20.0 in Chromium", "WebRTC", CONVERSATION),
    "test_livekit": ("LiveKit Agents 1.8.9 `openai.realtime.RealtimeModel`", "WebSocket", CONVERSATION),
    "test_pipecat": ("Pipecat 1.14.0 `OpenAIRealtimeLLMService`", "WebSocket", CONVERSATION),
    "test_ai_sdk": ("AI SDK 7.0.173 `experimental_streamTranscribe`", "WebSocket", TRANSCRIPTION),
    "test_openai_python_on_recordings": ("openai-python 3.57.0 `client.audio`", "HTTP", RECORDINGS),
    "test_openai_node_on_recordings": ("openai-node 7.57.0 `openai.audio`", "HTTP", RECORDINGS),
    "test_ai_sdk_on_recordings": ("AI SDK 7.0.173 `transcribe`", "HTTP", WORDS),
    "test_livekit_on_recordings": ("LiveKit Agents 1.8.9 `openai.STT`", "HTTP", TEXT),
    "test_pipecat_on_recordings": ("Pipecat 1.14.0 `OpenAISTTService`", "HTTP", TEXT),
}


def table() -> str:
    """Of all clients."""
    rows = ["| client, unmodified | carrier | does |", "|---|---|---|"]
    rows += [f"| {client} | {carrier} | {does} |" for client, carrier, does in CLIENTS.values()]
    return "\n".join(rows)


def write(path: Path = README) -> None:
    """Put the table where it belongs.

    Raises:
        ValueError: If the page has no place for it.
    """
    text = path.read_text()
    between = re.compile(re.escape(BEGIN) + r".*?" + re.escape(END), re.DOTALL)
    if not between.search(text):
        raise ValueError(f"{path} has no place for what was proven")
    path.write_text(between.sub(lambda _: f"{BEGIN}\n{table()}\n{END}", text))
