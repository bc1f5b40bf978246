"""A transcript as server-sent events, as OpenAI's clients read them: words as they are decoded, then the whole. Pure.

What is told is never taken back: a recognizer tells of a beginning only what the whole text will begin with
(`engines/recognizer.py`), so the deltas joined are the text of the last event, whatever was heard twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from vivavoce.engines.recognizer import HeardToken
from vivavoce.recognition.listener import HeardSegment
from vivavoce.recognition.transcript import Transcript, joined
from vivavoce.routes.transcript_formats import token_logprobs, token_usage


class TranscriptEvents:
    """Writes the words of one recording as server-sent events.

    Args:
        logprobs: of the tokens of each delta.

    Attributes:
        begun: something was told.
    """

    def __init__(self, *, logprobs: bool) -> None:
        self._logprobs = logprobs
        self._before = ""  # the text of all segments that are whole
        self._told = ""
        self._tokens = 0  # of the present segment that were told
        self._whole: list[HeardSegment] = []
        self.begun = False

    def feed(self, segment: HeardSegment) -> Iterator[bytes]:
        """More of the text, or nothing that was not told already."""
        heard = segment.heard
        text = heard.text if heard.is_final else _text(heard.tokens)
        whole = joined([self._before, text])
        delta, tokens = whole[len(self._told) :], heard.tokens[self._tokens :]
        if delta:
            self._told, self._tokens = whole, len(heard.tokens)
            self.begun = True
            fields = {"logprobs": token_logprobs(tokens)} if self._logprobs else {}
            yield event("transcript.text.delta", delta=delta, **fields)
        if heard.is_final:
            self._before, self._tokens = whole, 0
            if heard.text:
                self._whole.append(segment)

    def done(self, transcript: Transcript) -> bytes:
        """The event that ends the stream: all words."""
        fields = {"logprobs": token_logprobs(transcript.tokens)} if self._logprobs else {}
        return event("transcript.text.done", text=self._told, **fields, usage=token_usage(transcript))

    @property
    def segments(self) -> list[HeardSegment]:
        """All that are whole and hold words."""
        return self._whole


def event(kind: str, **fields: Any) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps({"type": kind, **fields}, ensure_ascii=False).encode() + b"\n\n"


def _text(tokens: tuple[HeardToken, ...]) -> str:
    return b"".join(token.piece for token in tokens).decode(errors="ignore").strip()
