"""STUN and TURN servers: from the configuration's words to what aiortc and browsers want. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiortc import RTCIceServer
from aiortc.rtcicetransport import parse_stun_turn_uri

from vivavoce.errors import ConfigError


@dataclass(frozen=True, slots=True)
class IceServer:
    """One server, with the user and secret that TURN asks for."""

    url: str
    user: str | None = None
    secret: str | None = None

    @classmethod
    def parse(cls, text: str) -> IceServer:
        """Read `stun:host[:port]` or `turn:user:secret@host[:port][?transport=tcp]`.

        Raises:
            ConfigError: If it is neither.
        """
        scheme, _, rest = text.partition(":")
        credentials, at, host = rest.rpartition("@")
        user, colon, secret = credentials.partition(":")
        url = f"{scheme}:{host}"
        try:
            parse_stun_turn_uri(url)
        except ValueError:
            raise ConfigError("ice_servers: expected stun:host or turn:user:secret@host") from None
        if scheme.startswith("turn") and not (at and colon):
            raise ConfigError("ice_servers: a TURN server needs turn:user:secret@host")
        return cls(url, user, secret) if at else cls(url)

    def for_browser(self) -> dict[str, Any]:
        """An entry of `RTCPeerConnection`'s `iceServers`."""
        return {"urls": [self.url], **({"username": self.user, "credential": self.secret} if self.user else {})}

    def for_aiortc(self) -> RTCIceServer:
        """The same for our own side."""
        return RTCIceServer(urls=self.url, username=self.user, credential=self.secret)


def parse_ice_servers(texts: Sequence[str]) -> tuple[IceServer, ...]:
    """The servers of the configuration. Raises as `IceServer.parse` does."""
    return tuple(IceServer.parse(text) for text in texts)
