"""Where a key or a token may stand in a request, and what it is: the one reader of credentials.

    Authorization: Bearer KEY               everybody's; also with Token, Key, ApiKey, or with nothing before it
    X-API-Key: KEY                          ours, Cartesia's
    api-key: KEY                            Azure's; also Ocp-Apim-Subscription-Key of its speech services
    x-goog-api-key: KEY                     Google's
    xi-api-key: KEY                         ElevenLabs'
    Authorization: Basic NAME:KEY           curl's -u, proxies and forms that know user and password only
    subprotocol openai-insecure-api-key.KEY browsers, on OpenAI's Realtime route
    subprotocol vivavoce.token.TOKEN        browsers, on the native stream

What it may do is its own property, whatever place it came in: a token opens one live connection, a client secret
sessions of Realtime until it expires, a key everything. Called by `gate.py`, once for a request; whether it is good is
`access.py`'s matter. Pure.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vivavoce.serving.entries import Entry
from vivavoce.serving.tokens import CLIENT_SECRET, TOKEN

KEY_HEADERS = ("x-api-key", "api-key", "xi-api-key", "ocp-apim-subscription-key", "x-goog-api-key")
# Of addresses: written into logs, histories and Referer headers, so no key is read from there.
IN_ADDRESS = frozenset(
    ["api_key", "api-key", "apikey", "key", "token", "access_token", "auth_token", "xi-api-key", "x-api-key",
     "authorization", "subscription-key"]
)  # fmt: skip
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
    return next(filter(None, map(_credential, places)), None) or _basic(headers.get("authorization", ""))


def is_in_address(query: bytes) -> bool:
    """Whether the query of an address holds what looks like a key, in a place where none is read."""
    names = (part.partition("=")[0] for part in query[:8192].decode("latin-1").split("&"))
    return any(name.lower() in IN_ADDRESS for name in names)


def _credential(text: str) -> Credential | None:
    """A key alone or behind its scheme; None where there is none, or another scheme (Basic).

    "Bearer Bearer KEY" comes from forms that add what was typed already, "Bearer: KEY" and quotes from people.
    """
    key, schemes = text.strip(), 0
    while (parts := key.partition(" "))[1] and parts[0].rstrip(":").lower() in SCHEMES:
        key, schemes = parts[2].strip(), schemes + 1
    if not schemes and " " in key:
        return None
    key = key.strip("\"'")
    return Credential(key) if key and key.lower().rstrip(":") not in ("bearer", "basic") else None


def _basic(text: str) -> Credential | None:
    """The password of a user, or the user where there is no password; asked last: a proxy may have it for itself."""
    scheme, _, value = text.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return None
    return Credential(password or user) if password or user else None
