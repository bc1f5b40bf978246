"""Short-lived, single-use tokens: how a web page opens a connection without ever holding an API key.

The page's own server asks for one with its key (`POST /v1/audio/speech/token`) and hands it on; it is worth one
connection and a minute. Kept as digests, on behalf of an owner; `Access` redeems them. Pure: times are arguments.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter

TOKEN = "vvt_"
CLIENT_SECRET = "ek_"  # OpenAI's name for the same


class TokenStore:
    """Tokens that were issued and not yet used.

    Args:
        lifetime_s: seconds a token is good for.
        capacity: tokens held at once; for one too many, the oldest of the owner with most of them goes.
        share: of one owner; for one too many, his own oldest goes.
    """

    def __init__(self, *, lifetime_s: float = 60.0, capacity: int = 10_000, share: int = 1_000) -> None:
        self.lifetime_s = lifetime_s
        self._capacity = capacity
        self._share = share
        self._issued: dict[bytes, tuple[str, float]] = {}  # digest -> (owner, when it expires), oldest first

    def issue(self, owner: str, now: float, *, prefix: str = TOKEN, lifetime_s: float | None = None) -> str:
        """A new token of this owner.

        Args:
            prefix: `TOKEN` or `CLIENT_SECRET`.
            lifetime_s: None: that of the store.
        """
        self._forget_expired(now)
        owners = Counter(each for each, _ in self._issued.values())
        if owners[owner] >= self._share:
            self._forget_oldest(owner)
        elif len(self._issued) >= self._capacity:
            self._forget_oldest(owners.most_common(1)[0][0])
        token = prefix + secrets.token_urlsafe(24)
        self._issued[_digest(token)] = (owner, now + (self.lifetime_s if lifetime_s is None else lifetime_s))
        return token

    def redeem(self, token: str, now: float) -> str | None:
        """The owner of a token, which is used up by this; None where it is unknown, used or too old."""
        owner, expires = self._issued.pop(_digest(token), ("", 0.0))
        return owner if now < expires else None

    def owner(self, token: str, now: float) -> str | None:
        """The owner of a token that is still good, which it stays."""
        owner, expires = self._issued.get(_digest(token), ("", 0.0))
        return owner if now < expires else None

    def _forget_oldest(self, owner: str) -> None:
        del self._issued[next(digest for digest, (each, _) in self._issued.items() if each == owner)]

    def _forget_expired(self, now: float) -> None:
        """Those at the front, the oldest; one that lives longer than its neighbours keeps them a while."""
        for digest, (_, expires) in list(self._issued.items()):
            if now < expires:
                return
            del self._issued[digest]


def _digest(token: str) -> bytes:
    """Looking a digest up in a dict leaks no timing that helps to guess the token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
