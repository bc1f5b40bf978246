"""A bounded thing and what one owner may have of it: a client that takes all it can get leaves room for the others.

Where callers can be told apart, one of them gets at most a part of what there is; where everybody is the same caller,
or there is only one key, all of it. Counts and nothing else; used by the live connections, the calls and the tokens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from vivavoce.errors import Overloaded, RateLimited

SHARE = 0.5  # of one owner among several
RETRY_AFTER_S = 5.0


class Shares:
    """Places of one kind: so many at once, and a share of them for each owner.

    Args:
        what: for sentences: "live connections".
        limit: at once, of all owners.
        share: of it that one owner may have, 0..1; at least one.
    """

    def __init__(self, what: str, limit: int, share: float = 1.0) -> None:
        self._what = what
        self._limit = limit
        self._of_one = max(1, int(limit * share))
        self._held: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._held.total()

    def check(self, owner: str) -> None:
        """Whether this owner may have one more.

        Raises:
            Overloaded: If there are too many.
            RateLimited: If the owner has its share.
        """
        if len(self) >= self._limit:
            raise Overloaded(f"{self._limit} {self._what} are open, and no more may be", retry_after_s=RETRY_AFTER_S)
        if self._held[owner] >= self._of_one:
            raise RateLimited(f"you have {self._of_one} {self._what} open already", retry_after_s=RETRY_AFTER_S)

    @contextmanager
    def hold(self, owner: str) -> Iterator[None]:
        """One more for the length of the block. Raises as `check` does."""
        self.take(owner)
        try:
            yield
        finally:
            self.give_back(owner)

    def take(self, owner: str) -> None:
        """One more, until it is given back. Raises as `check` does."""
        self.check(owner)
        self._held[owner] += 1

    def give_back(self, owner: str) -> None:
        """The owner has one place less."""
        self._held[owner] -= 1
        if self._held[owner] <= 0:
            del self._held[owner]
