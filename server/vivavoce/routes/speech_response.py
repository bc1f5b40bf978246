"""The answer of `POST /v1/audio/speech`: encoded audio or server-sent events, while it is being spoken.

Headers are held back until the first audible chunk exists, so a failure before it is a plain JSON error; after it the
connection is aborted, never ended as if the speech were whole. A client that goes away cancels at once.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from vivavoce.audio.encoders import AudioEncoder
from vivavoce.audio.spool import Spool
from vivavoce.errors import VivaVoceError
from vivavoce.metrics import Metrics
from vivavoce.routes.left_out import unspoken_event, unspoken_header
from vivavoce.serving.http_protocol import ABORT
from vivavoce.serving.parts import until_first_ends
from vivavoce.serving.taking import Taking
from vivavoce.synthesis.speaker import Speaker, SpeechRequest, Spoken, SpokenChunk, Unspoken
from vivavoce.transports.encoding import Encoding
from vivavoce.transports.pacing import Pacer

AUDIBLE = 10 ** (-45 / 20)  # -45 dBFS: below it is the silence before a voice
HELD_S = 5.0  # of such silence at most: nothing is kept without a bound
TOKENS_PER_SECOND = 25  # an output token of the usage report is 40 ms of audio, as in GPT-SoVITS
BYTES_PER_TOKEN = 4  # an input token of the usage report is about four bytes of text


class SpeechResponse(Response):
    """The streamed HTTP answer that holds one utterance.

    Args:
        encoder: of the audio; the utterance comes at `encoder.sample_rate`.
        encoding: threads for codecs that take time.
        spool: where the encoder keeps what must be whole before it leaves; closed here.
        sse: server-sent events instead of bytes.
        words: with `sse`, also events with word times.
        now: the clock, in seconds.
        stall_timeout_s: a client that takes nothing for this long is dropped.
    """

    def __init__(
        self,
        speaker: Speaker,
        request: SpeechRequest,
        encoder: AudioEncoder,
        *,
        encoding: Executor,
        metrics: Metrics,
        stall_timeout_s: float,
        spool: Spool | None = None,
        sse: bool = False,
        words: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.background = None
        self._speaker = speaker
        self._request = request
        self._encoder = encoder
        self._encoding = Encoding(encoder, encoding)
        self._metrics = metrics
        self._stall_timeout_s = stall_timeout_s
        self._spool = spool
        self._sse = sse
        self._words = words
        self._started = False
        self._now = now
        self._listening = Pacer()  # somebody who plays it while it comes
        self._came_s = 0.0  # when the last chunk came here
        self._unspoken: Sequence[Unspoken] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Speak until the end, an error, or the client's leaving."""
        self._taking = Taking(scope, self._stall_timeout_s)
        try:
            ended = await until_first_ends(self._speak(send), _until_disconnect(receive))
            self._count("completed" if ended == 0 else "client_gone", "")
        except VivaVoceError as error:
            self._count("error", error.code)
            if not self._started:
                raise
            _abort(scope)  # the body stays unfinished: the client's HTTP library reports it
        finally:
            if self._spool is not None:
                self._spool.close()

    async def _speak(self, send: Send) -> None:
        async with self._speaker.stream(self._request) as utterance:
            try:
                async for part, sound_s in self._body(utterance):
                    await self._send(send, part, sound_s)
            except VivaVoceError as error:
                if not (self._sse and self._started):
                    raise
                await self._send(send, _event("speech.audio.error", **error.to_wire()))
        await self._send(send, b"", more=False)

    async def _body(self, utterance: Spoken) -> AsyncIterator[tuple[bytes, float]]:
        """The parts of the body and the seconds of sound in each; the first only when something can be heard."""
        self._unspoken = utterance.unspoken  # of a whole text all is known before it sounds
        held = (
            [_event("speech.audio.unspoken", **unspoken_event(self._unspoken))] if self._sse and self._unspoken else []
        )
        sound_s = 0.0
        audible = False
        async for chunk in utterance:
            self._came_s = self._now()
            part = await self._encode(chunk)
            sound_s += chunk.audio.duration_s
            audible = audible or sound_s > HELD_S or bool(np.any(np.abs(chunk.audio.samples) > AUDIBLE))
            held.append(part)
            if audible and (whole := b"".join(held)):
                held.clear()
                yield whole, sound_s
                sound_s = 0.0
        held.append(self._audio_event(await self._encoding.flush()))
        if self._spool is not None:
            pieces, size = self._spool.pieces(), self._spool.size
            while piece := await asyncio.to_thread(next, pieces, b""):
                yield b"".join(held) + self._audio_event(piece), sound_s * len(piece) / size
                held.clear()
            sound_s = 0.0
        if self._sse:
            held.append(_event("speech.audio.done", usage=_usage(self._request.text or "", utterance)))
        yield b"".join(held), sound_s

    async def _encode(self, chunk: SpokenChunk) -> bytes:
        part = self._audio_event(await self._encoding.encode(chunk.audio.samples))
        if self._words and chunk.audio.words:
            part += _event(
                "speech.audio.words",
                words=[
                    {
                        "text": w.text,
                        "start": round(w.start_s, 3),
                        "end": round(w.end_s, 3),
                        "characters": [w.source_start, w.source_end],
                    }
                    for w in chunk.audio.words
                ],
                estimated=any(w.estimated for w in chunk.audio.words),
            )
        return part

    def _audio_event(self, data: bytes) -> bytes:
        if not self._sse:
            return data
        return _event("speech.audio.delta", audio=base64.b64encode(data).decode("ascii")) if data else b""

    async def _send(self, send: Send, part: bytes, sound_s: float = 0.0, *, more: bool = True) -> None:
        """Send a part of the body, the headers before the first.

        Raises:
            ClientTooSlow: If the client takes much less than it would play.
        """
        if not part and more:
            return
        if not self._started:
            self._started = True
            await send({"type": "http.response.start", "status": 200, "headers": self._start_headers()})
        self._note_gap(sound_s)
        await self._taking.send(
            send({"type": "http.response.body", "body": part, "more_body": more}), len(part), sound_s
        )

    def _note_gap(self, sound_s: float) -> None:
        """This much sound leaves: count it where it was late by our fault. A file is not listened to while it comes."""
        if self._spool is None and sound_s > 0:
            if waited_s := self._listening.waited_s(self._now(), self._came_s):
                self._metrics.ran_dry(waited_s)
            self._listening.send(sound_s, self._now())

    def _start_headers(self) -> list[tuple[bytes, bytes]]:
        media_type = "text/event-stream; charset=utf-8" if self._sse else self._encoder.media_type
        unspoken = unspoken_header(self._unspoken)
        return [
            (b"content-type", media_type.encode("ascii")),
            (b"x-audio-sample-rate", str(self._encoder.sample_rate).encode("ascii")),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),  # nginx would hold the stream back until it ends
            *([] if unspoken is None else [(b"x-unspoken", unspoken)]),
        ]

    def _count(self, outcome: str, reason: str) -> None:
        self._metrics.requests.labels("speech", outcome, reason).inc()


async def _until_disconnect(receive: Receive) -> None:
    while True:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            return


def _abort(scope: Scope) -> None:
    """Drop the connection where the server lets us; elsewhere the unfinished body says the same."""
    extension = scope.get("extensions", {}).get(ABORT)
    if extension is not None:
        extension["abort"]()


def _event(kind: str, **fields: Any) -> bytes:
    return b"data: " + json.dumps({"type": kind, **fields}, ensure_ascii=False).encode() + b"\n\n"


def _usage(text: str, spoken: Spoken) -> dict[str, int]:
    tokens_in = -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)
    tokens_out = round(spoken.produced_s * TOKENS_PER_SECOND)
    return {"input_tokens": tokens_in, "output_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}
