"""STUN and TURN servers as the configuration writes them."""

from __future__ import annotations

import pytest

from vivavoce.errors import ConfigError
from vivavoce.transports.webrtc.ice import IceServer, parse_ice_servers


def test_stun_needs_no_secret() -> None:
    [server] = parse_ice_servers(["stun:stun.example.org:3478"])
    assert server.for_browser() == {"urls": ["stun:stun.example.org:3478"]}
    assert server.for_aiortc().urls == "stun:stun.example.org:3478"


def test_turn_carries_its_user_and_secret() -> None:
    server = IceServer.parse("turn:me:s:e@cret@turn.example.org?transport=tcp")
    assert (server.user, server.secret, server.url) == ("me", "s:e@cret", "turn:turn.example.org?transport=tcp")
    assert server.for_aiortc().credential == "s:e@cret"


@pytest.mark.parametrize("text", ["", "stun.example.org", "http://x", "turn:turn.example.org", "stun:", "turn:me@host"])
def test_anything_else_is_refused_without_repeating_the_secret(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        IceServer.parse(text)
    assert "me" not in refused.value.message.split()
