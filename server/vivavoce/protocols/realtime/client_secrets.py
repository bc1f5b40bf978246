"""Short-lived keys (`ek_...`) for browsers, and the session that each was made for. Times are arguments.

The page's own server asks for one with its real key; the browser opens connections with it until it expires, and finds
the session set up as it was asked for. The keys themselves are the server's tokens; only hashes are kept here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from vivavoce.errors import RateLimited
from vivavoce.protocols.fields import Refused, Whole
from vivavoce.protocols.realtime.client_events import refused_field
from vivavoce.protocols.realtime.session_config import SessionConfig

_LIFE: Final = Whole(10, 7200)  # seconds, as OpenAI has it
_DEFAULT_LIFE_S: Final = 600
_MOST: Final = 10_000
_MOST_OF_ONE_OWNER: Final = 1_000


def read_request(body: Mapping[str, object], default: SessionConfig) -> tuple[SessionConfig, int]:
    """The session and the life in seconds that `POST /v1/realtime/client_secrets` asks for.

    Raises:
        ProtocolError: `invalid_value`, with the field in `param`.
    """
    session, expires = body.get("session"), body.get("expires_after")
    try:
        if not isinstance(session or {}, dict) or not isinstance(expires or {}, dict):
            raise Refused("an object", "session" if not isinstance(session or {}, dict) else "expires_after")
        life_s = _read_life(expires) if isinstance(expires, dict) else _DEFAULT_LIFE_S
    except Refused as refused:
        raise refused_field(refused) from None
    try:
        return default.updated(session if isinstance(session, dict) else {}), life_s
    except Refused as refused:
        raise refused_field(refused, "session") from None


def _read_life(expires: Mapping[str, object]) -> int:
    if expires.get("anchor") not in (None, "created_at"):
        raise Refused("created_at", "expires_after.anchor")
    seconds = expires.get("seconds")
    try:
        return _DEFAULT_LIFE_S if seconds is None else _LIFE.read(seconds)
    except Refused as refused:
        raise Refused(refused.expected, "expires_after.seconds") from None


class ClientSecrets:
    """What the keys that are not expired were made for. Full: the owner who has too many is refused, and keeps his."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[str, SessionConfig, float]] = {}  # by the hash of the key

    def check(self, owner: str, now: float) -> None:
        """May this owner have one more?

        Raises:
            RateLimited: If he, or the server, has too many.
        """
        self._known = {key: known for key, known in self._known.items() if known[2] > now}
        his = sum(known[0] == owner for known in self._known.values())
        if his >= _MOST_OF_ONE_OWNER or len(self._known) >= _MOST:
            raise RateLimited("too many client secrets are valid at once", retry_after_s=60.0)

    def remember(self, key: str, owner: str, config: SessionConfig, expires_s: float) -> None:
        """A key was issued to begin this session, until it expires by the caller's clock."""
        self._known[_hash(key)] = (owner, config, expires_s)

    def config_of(self, key: str, now: float) -> SessionConfig | None:
        """The session that a key begins; None where it is none of ours, or expired."""
        _, config, expires_s = self._known.get(_hash(key), ("", None, 0.0))
        return config if now < expires_s else None


def write_answer(key: str, session_id: str, config: SessionConfig, expires_at: int) -> dict[str, object]:
    """The body of the answer.

    Args:
        expires_at: Unix time in seconds.
    """
    name = "realtime.session" if config.type == "realtime" else "realtime.transcription_session"
    return {
        "value": key,
        "expires_at": expires_at,
        "session": {"id": session_id, "object": name, **config.to_wire()},
    }


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()
