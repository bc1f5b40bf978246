"""Every WebRTC call of this server, from its offer to its end; what happens inside one is `call.py`'s."""

from __future__ import annotations

import asyncio
import logging
import secrets
from concurrent.futures import ThreadPoolExecutor

from vivavoce.config import LiveSettings, WebRTCSettings
from vivavoce.errors import NotFound, Overloaded, ShuttingDown
from vivavoce.metrics import Metrics
from vivavoce.protocols.native.messages import Limits
from vivavoce.protocols.native.session import Session
from vivavoce.synthesis.synthesizer import Synthesizer
from vivavoce.transports.connections import Connections, limits_of, voice_summaries
from vivavoce.transports.webrtc import offer
from vivavoce.transports.webrtc.call import Call
from vivavoce.transports.webrtc.ice import parse_ice_servers

logger = logging.getLogger(__name__)


class Calls:
    """Every call of this server, from its offer to its end.

    Args:
        allow_private: let private addresses of offers into the ICE agent.

    Raises:
        ConfigError: If the configuration's ICE servers cannot be read.
    """

    def __init__(
        self,
        synthesizer: Synthesizer,
        settings: WebRTCSettings,
        live: LiveSettings,
        *,
        allow_private: bool,
        metrics: Metrics,
        connections: Connections,
        limits: Limits | None = None,
    ) -> None:
        self.ice_servers = parse_ice_servers(settings.ice_servers)
        self._synthesizer = synthesizer
        self._max_calls = settings.max_calls
        self._ahead_s = live.ahead_s
        self._metrics = metrics
        self._connections = connections
        self._limits = limits or limits_of(live)
        self._allow_private = allow_private
        self._calls: dict[str, Call] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closed = False
        self._encoding = ThreadPoolExecutor(max_workers=2, thread_name_prefix="opus")

    def __len__(self) -> int:
        return len(self._calls)

    async def open(self, body: bytes, owner: str) -> tuple[str, str]:
        """Answer an offer: the id of the call, and the SDP answer.

        Raises:
            InvalidOffer, PayloadTooLarge: If the offer is not one.
            Overloaded, ShuttingDown: If there are too many calls, or the server stops.
        """
        text = offer.cleaned_offer(body, allow_private=self._allow_private)
        self._check()
        call = self._new_call(owner)
        self._calls[call.id] = call
        try:
            answer = await call.answer(text)
            if self._closed:
                raise ShuttingDown("the server is shutting down")
        except BaseException:
            self._calls.pop(call.id)
            await call.close()
            raise
        self._tasks[call.id] = asyncio.create_task(self._run(call), name=f"call-{call.id}")
        return call.id, answer

    def hang_up(self, id: str, owner: str) -> None:
        """End a call of this owner.

        Raises:
            NotFound: If there is none.
        """
        call = self._calls.get(id)
        if call is None or call.owner != owner:
            raise NotFound("no such call")
        call.hang_up()

    async def aclose(self) -> None:
        """Take no more calls, end those that are open, and free the threads."""
        self._closed = True
        tasks = list(self._tasks.values())
        for call in list(self._calls.values()):
            call.hang_up()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._encoding.shutdown(wait=False, cancel_futures=True)

    def _check(self) -> None:
        self._connections.check()
        if self._closed:
            raise ShuttingDown("the server is shutting down")
        if len(self._calls) >= self._max_calls:
            raise Overloaded(f"{self._max_calls} calls are open or pending, and no more may be", retry_after_s=5.0)

    def _new_call(self, owner: str) -> Call:
        session = Session(f"sess_{secrets.token_hex(12)}", self._limits, voice_summaries(self._synthesizer.library))
        return Call(
            f"call_{secrets.token_urlsafe(18)}",
            owner,
            session,
            self._synthesizer,
            self._ahead_s,
            self._metrics,
            self.ice_servers,
            self._encoding,
        )

    async def _run(self, call: Call) -> None:
        try:
            await call.run(self._connections)
        except Overloaded as error:
            logger.info("%s: %s", call.id, error)
        except Exception:
            logger.exception("%s: the call failed", call.id)
        finally:
            self._calls.pop(call.id, None)
            self._tasks.pop(call.id, None)
