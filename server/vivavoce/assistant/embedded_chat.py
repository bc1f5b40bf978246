"""A chat model of this machine as a `ChatModel`: its blocking answer runs in a thread of its own.

One answer at a time; the next one waits. It is loaded when it is first asked, or by `load()` before. What its thread
takes of the cores is told to the machine's books.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

from vivavoce.assistant.chat_model import ChatMessage, ChatOptions, ChatPiece, TextDelta
from vivavoce.assistant.chat_stream import ChatStream, request_body
from vivavoce.errors import EngineError, VivaVoceError

_SHOWN: Final = 6_000  # characters: some 1,500 tokens of a small context
_WHOLE_S: Final = 60.0
_CHARACTERS_A_SECOND: Final = 15  # of English as it is spoken
_FIRST_WORDS: Final = [ChatMessage("user", "Say hello in one sentence.")]  # shows what an answer costs


class BlockingChat(Protocol):
    """A model that answers while its caller waits."""

    def answer(self, body: dict[str, Any], take: Callable[[dict[str, Any]], bool]) -> None:
        """Give the chunks of an answer to `take`, which returns True to stop."""
        ...


class EmbeddedChat:
    """A blocking chat model in a thread of its own, as a `ChatModel`.

    Args:
        load: loads it; takes a second.
        name: as it is told to people.
        measured: told of each whole answer: core seconds it took, seconds it takes to say.
        threads: that it computes with.
    """

    def __init__(
        self,
        load: Callable[[], BlockingChat],
        name: str,
        *,
        measured: Callable[[float, float], None] = lambda core_s, spoken_s: None,
        threads: int = 1,
    ) -> None:
        self.name = name
        self._load = load
        self._measured = measured
        self._threads = threads
        self._model: BlockingChat | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chat")
        self._one_at_a_time = asyncio.Lock()

    async def load(self) -> None:
        """Load it now, and let it say a word, so that it is known what that costs.

        Raises:
            VivaVoceError: If it cannot be loaded, or does not answer.
        """
        await asyncio.get_running_loop().run_in_executor(self._thread, self._loaded)
        async with self.reply(_FIRST_WORDS, ChatOptions(max_tokens=24)) as pieces:
            async for _ in pieces:
                pass

    @asynccontextmanager
    async def reply(
        self, messages: Sequence[ChatMessage], options: ChatOptions
    ) -> AsyncIterator[AsyncIterator[ChatPiece]]:
        """The answer; see `ChatModel`. Leaving the block stops the model at its next token."""
        body = request_body(self.name, _latest(messages), options)
        stopped = threading.Event()
        async with self._one_at_a_time:
            pieces = self._pieces(body, stopped)
            try:
                yield pieces
            finally:
                stopped.set()
                await pieces.aclose()

    async def aclose(self) -> None:
        """Take on no more answers; one under way ends by itself."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _pieces(self, body: dict[str, Any], stopped: threading.Event) -> AsyncGenerator[ChatPiece, None]:
        loop = asyncio.get_running_loop()
        chunks: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()  # bounded by the tokens of one answer

        def take(chunk: dict[str, Any]) -> bool:
            loop.call_soon_threadsafe(chunks.put_nowait, chunk)
            return stopped.is_set()

        took_s: list[float] = []

        def answer() -> None:
            try:
                if not stopped.is_set():
                    model, begun_s = self._loaded(), time.monotonic()
                    model.answer(body, take)
                    took_s.append(time.monotonic() - begun_s)
            finally:
                loop.call_soon_threadsafe(chunks.put_nowait, None)

        working = loop.run_in_executor(self._thread, answer)
        stream, written = ChatStream(), 0
        try:
            async with asyncio.timeout(_WHOLE_S):
                while (chunk := await chunks.get()) is not None:
                    for piece in stream.feed(chunk):
                        written += len(piece.text) if isinstance(piece, TextDelta) else 0
                        yield piece
            await working
            if took_s and written:
                self._measured(took_s[0] * self._threads, written / _CHARACTERS_A_SECOND)
            for piece in stream.end():
                yield piece
        except TimeoutError:
            raise EngineError("the embedded chat model took too long") from None
        finally:
            stopped.set()
            await asyncio.gather(working, return_exceptions=True)  # a token or two: the thread is free again

    def _loaded(self) -> BlockingChat:
        if self._model is None:
            try:
                self._model = self._load()
            except VivaVoceError:
                raise
            except Exception as error:
                raise EngineError(f"the embedded chat model cannot be loaded: {type(error).__name__}") from error
        return self._model


def _latest(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The instructions, and the latest messages that a small context holds."""
    system = [message for message in messages[:1] if message.role == "system"]
    room, kept = _SHOWN - sum(len(message.text) for message in system), list[ChatMessage]()
    for message in reversed(messages[len(system) :]):
        room -= len(message.text)
        if room < 0 and kept:
            break
        kept.append(message)
    return [*system, *reversed(kept)]
