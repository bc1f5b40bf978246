"""Short-lived keys (`ek_...`) for browsers: what one is bound to, and who still holds one. Times are arguments.

The page's own server asks for one with its real key; the browser opens one connection after another with it until it
expires, in the session that was asked for and no other. Only hashes are kept.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from vivavoce.errors import InvalidKey, RateLimited
from vivavoce.protocols.fields import Refused, Whole
from vivavoce.protocols.realtime.client_events import refused_field
from vivavoce.protocols.realtime.session_config import SessionConfig

PREFIX: Final = "ek_"
_LIFE: Final = Whole(10, 7200)  # seconds, as OpenAI has it
_DEFAULT_LIFE_S: Final = 600
_MOST: Final = 10_000
_MOST_OF_ONE_OWNER: Final = 1_000


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """What a key opens.

    Attributes:
        owner: whose share of the server it uses: the one who asked for it.
        config: the session that it begins.
        expires_s: by the clock of the caller.
    """

    owner: str
    config: SessionConfig
    expires_s: float


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
    try:
        return _LIFE.read(expires.get("seconds") or _DEFAULT_LIFE_S)
    except Refused as refused:
        raise Refused(refused.expected, "expires_after.seconds") from None


class ClientSecrets:
    """The keys that are not expired. Full: the owner who has too many is refused, and keeps those he has."""

    def __init__(self) -> None:
        self._known: dict[bytes, ClientSecret] = {}  # by the hash of the key

    def issue(self, owner: str, config: SessionConfig, life_s: float, now: float) -> str:
        """A new key.

        Raises:
            RateLimited: If the owner, or the server, holds too many.
        """
        self._known = {key: secret for key, secret in self._known.items() if secret.expires_s > now}
        his = sum(secret.owner == owner for secret in self._known.values())
        if his >= _MOST_OF_ONE_OWNER or len(self._known) >= _MOST:
            raise RateLimited("too many client secrets are valid at once", retry_after_s=60.0)
        key = PREFIX + secrets.token_hex(24)
        self._known[_hash(key)] = ClientSecret(owner, config, now + life_s)
        return key

    def find(self, key: str, now: float) -> ClientSecret:
        """What a key opens.

        Raises:
            InvalidKey: If it is unknown or expired.
        """
        secret = self._known.get(_hash(key))
        if secret is None or secret.expires_s <= now:
            raise InvalidKey("the client secret is unknown or expired")
        return secret


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
