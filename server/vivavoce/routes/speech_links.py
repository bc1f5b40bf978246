"""Wishes to speak that wait under a short-lived link: for players, `<audio src>` and devices, which can only GET.

No text stands in an address or a log: the wish is posted with a key and stays here; the link names it, cannot be
guessed, and is good for a while, for as often as a player asks (many ask twice). Called by `speech.py`. Pure: times
are arguments.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass

from vivavoce.errors import NotFound, RateLimited
from vivavoce.synthesis.speaker import SpeechRequest

PATH = "/v1/audio/speech/links/"


@dataclass(frozen=True, slots=True)
class SpeechWish:
    """A request that was read and found good, and how its answer is written.

    Attributes:
        format: one of `FORMATS`.
        exact_sizes: as one whole file with its true length.
        sse: server-sent events instead of bytes.
        words: with `sse`, also word times.
    """

    request: SpeechRequest
    format: str
    exact_sizes: bool = False
    sse: bool = False
    words: bool = False


class SpeechLinks:
    """Wishes to speak that wait for somebody to open their link.

    Args:
        lifetime_s: seconds a link is good for.
        share: links of one owner at once; one more is refused.
        capacity: links of all owners at once; for one too many, the oldest of the owner with most of them goes.
    """

    def __init__(self, *, lifetime_s: float = 60.0, share: int = 100, capacity: int = 2000) -> None:
        self.lifetime_s = lifetime_s
        self._share = share
        self._capacity = capacity
        self._wishes: dict[str, tuple[SpeechWish, float]] = {}  # name -> (wish, when it expires), oldest first

    def add(self, wish: SpeechWish, now_s: float) -> str:
        """The address of the wish.

        Raises:
            RateLimited: If its owner has too many.
        """
        self._forget_expired(now_s)
        owners = Counter(each.request.owner for each, _ in self._wishes.values())
        if owners[wish.request.owner] >= self._share:
            raise RateLimited(f"{self._share} links are open, and no more may be", retry_after_s=self.lifetime_s)
        if len(self._wishes) >= self._capacity:
            crowd, _ = owners.most_common(1)[0]
            del self._wishes[next(name for name, (each, _) in self._wishes.items() if each.request.owner == crowd)]
        name = f"{secrets.token_urlsafe(24)}.{wish.format}"
        self._wishes[name] = (wish, now_s + self.lifetime_s)
        return PATH + name

    def get(self, name: str, now_s: float) -> SpeechWish:
        """The wish under a name.

        Raises:
            NotFound: If there is none, or it has waited too long.
        """
        self._forget_expired(now_s)
        found = self._wishes.get(name)
        if found is None:
            raise NotFound("no such link, or its time is over")
        return found[0]

    def _forget_expired(self, now_s: float) -> None:
        for name, (_, expires_s) in list(self._wishes.items()):
            if now_s < expires_s:
                return
            del self._wishes[name]
