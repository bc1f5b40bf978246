"""Every WebRTC call of this server, from its offer to its end; what happens inside one is `call.py`'s."""

from __future__ import annotations

import asyncio
import logging
import secrets
from concurrent.futures import ThreadPoolExecutor

from vivavoce.config import WebRTCSettings
from vivavoce.draining import Draining
from vivavoce.errors import NotFound, Overloaded, ShuttingDown
from vivavoce.serving.shares import Shares
from vivavoce.transports.carried import Carry, Patience
from vivavoce.transports.connections import Connections
from vivavoce.transports.webrtc import offer
from vivavoce.transports.webrtc.call import Call
from vivavoce.transports.webrtc.ice import parse_ice_servers

logger = logging.getLogger(__name__)


class Calls:
    """Every call of this server, from its offer to its end.

    Args:
        allow_private: let private addresses of offers into the ICE agent.
        share: of the calls that one owner may have, 0..1.

    Raises:
        ConfigError: If the configuration's ICE servers cannot be read.
    """

    def __init__(
        self,
        settings: WebRTCSettings,
        patience: Patience,
        *,
        allow_private: bool,
        share: float = 1.0,
        connections: Connections,
        draining: Draining,
    ) -> None:
        self.ice_servers = parse_ice_servers(settings.ice_servers)
        self._shares = Shares("calls", settings.max_calls, share)
        self._patience = patience
        self._allow_private = allow_private
        self._connections = connections
        self._draining = draining
        self._calls: dict[str, Call] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._encoding = ThreadPoolExecutor(max_workers=2, thread_name_prefix="opus")

    def __len__(self) -> int:
        return len(self._calls)

    async def open(self, body: bytes, owner: str, carry: Carry, *, channel: str = "speech") -> tuple[str, str]:
        """Answer an offer: the id of the call, and the SDP answer.

        Args:
            body: the offer, SDP.
            carry: makes the session.
            channel: label of the data channel that carries its messages.

        Raises:
            InvalidOffer, PayloadTooLarge: If the offer is not one.
            Overloaded, ShuttingDown: If there are too many calls, or the server stops.
        """
        text = offer.cleaned_offer(body, allow_private=self._allow_private)
        self._connections.check(owner)
        self._shares.take(owner)
        id = f"call_{secrets.token_urlsafe(18)}"
        call = Call(id, owner, carry, self.ice_servers, self._encoding, self._patience, channel=channel)
        self._calls[call.id] = call
        try:
            answer = await call.answer(text)
            if self._draining.has_begun:
                raise ShuttingDown("the server is shutting down")
        except BaseException:
            self._forget(call)
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
        """End the calls that are open, and free the threads. No more come: draining has begun."""
        tasks = list(self._tasks.values())
        for call in list(self._calls.values()):
            call.hang_up()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._encoding.shutdown(wait=False, cancel_futures=True)

    async def _run(self, call: Call) -> None:
        try:
            await call.run(self._connections)
        except Overloaded as error:
            logger.info("%s: %s", call.id, error)
        except Exception:
            logger.exception("%s: the call failed", call.id)
        finally:
            self._forget(call)

    def _forget(self, call: Call) -> None:
        self._shares.give_back(call.owner)
        self._calls.pop(call.id, None)
        self._tasks.pop(call.id, None)
