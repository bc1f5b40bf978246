"""Where a key or a token may stand in a request, and what it is: the one reader of credentials.

    Authorization: Bearer KEY               everybody's; also with Token, Key, ApiKey, or with nothing before it
    X-API-Key: KEY                          ours, Cartesia's
    api-key: KEY                            Azure's
    xi-api-key: KEY                         ElevenLabs'
    subprotocol openai-insecure-api-key.KEY browsers, on OpenAI's Realtime route
    subprotocol vivavoce.token.TOKEN        browsers, on the native stream

What it may do is its own property, whatever place it came in: a token opens one live connection, a client secret
sessions of Realtime until it expires, a key everything. Called by `gate.py`, once for a request; whether it is good is
`access.py`'s matter. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vivavoce.serving.entries import Entry
from vivavoce.serving.tokens import CLIENT_SECRET, TOKEN

KEY_HEADERS = ("x-api-key", "api-key", "xi-api-key")
SCHEMES = ("bearer", "token", "key", "apikey", "api-key")
SUBPROTOCOLS = ("vivavoce.token.", "openai-insecure-api-key.")


@dataclass(frozen=True, slots=True)
class Credential:
    """What a caller shows: a key, or something that stands for one for a while."""

    value: str = field(repr=False)

    @property
    def is_token(self) -> bool:
        """True for what this server issues in a key's place."""
        return self.value.startswith((TOKEN, CLIENT_SECRET))

    def may_enter(self, entry: Entry) -> bool:
        """Whether something of its kind opens a route that asks for this."""
        if self.value.startswith(TOKEN):
            return entry in (Entry.LIVE, Entry.REALTIME, Entry.ON_THE_WAY)
        if self.value.startswith(CLIENT_SECRET):
            return entry in (Entry.REALTIME, Entry.ON_THE_WAY)
        return True

    def is_spent_by(self, entry: Entry) -> bool:
        """Whether entering uses it up."""
        return self.value.startswith(TOKEN) and entry is not Entry.ON_THE_WAY


def credential_of(headers: Mapping[str, str], subprotocols: Sequence[str] = ()) -> Credential | None:
    """What the caller shows; None where it shows nothing.

    Args:
        headers: names in lower case.
        subprotocols: offered by a WebSocket; a browser has no other place.
    """
    for offered in subprotocols:
        for prefix in SUBPROTOCOLS:
            if offered.startswith(prefix):
                return _credential(offered.removeprefix(prefix))
    places = (headers.get(name, "") for name in ("authorization", *KEY_HEADERS))
    return next(filter(None, map(_credential, places)), None)


def _credential(text: str) -> Credential | None:
    """A key alone or behind its scheme; None where there is none, or another scheme (Basic)."""
    scheme, blank, value = text.strip().partition(" ")
    if blank:
        return Credential(value.strip()) if scheme.lower() in SCHEMES else None
    return Credential(scheme) if scheme and scheme.lower() != "bearer" else None
