"""What a connection may cost the event loop: seconds of work that come back with time. Pure; times are arguments.

Every connection has a little of its own, enough for any honest client. What one needs beyond that comes out of a pot
that all share. One that needs more than both is in debt: it waits, and from then on all that are in debt live on one
small share of the loop together, however many they are, until they have behaved for a while. Somebody who comes from
where such a one has just gone waits as long as one in debt would, and then is on trial: with a small budget of its own
and nothing from the pot. Others may have the same address, a proxy's for one: who talks on trial is not held up.
Used by `websocket_protocol.py`.
"""

from __future__ import annotations

IN_DEBT_SHARE = 0.04  # of the loop, for all together that spent more than they had
FORGIVEN_AFTER_S = 5.0  # without having to wait
TRIAL_S = 0.005  # of work at once: a first message, and a microphone's sound from then on
REMEMBERED_S = 30.0  # where one in debt was connected from
MAX_REMEMBERED = 1024
_ROUNDING_S = 1e-9


class Pot:
    """Seconds of work for whoever needs more than its own, and the book of those who took more than that.

    Args:
        share: of the time, 0..1.
        burst_s: what may be saved up, in seconds of work.
    """

    def __init__(self, share: float, burst_s: float) -> None:
        self._share = share
        self._burst_s = burst_s
        self._left_s = burst_s
        self._refilled_s = 0.0
        self._in_debt = 0
        self._gone: dict[str, float] = {}  # address -> when one in debt left it, oldest first

    def give(self, work_s: float, now_s: float) -> float:
        """As much of it as there is."""
        self._left_s = min(self._burst_s, self._left_s + self._share * max(0.0, now_s - self._refilled_s))
        self._refilled_s = now_s
        given_s = min(work_s, max(0.0, self._left_s))
        self._left_s -= given_s
        return given_s

    def debtor_came(self) -> None:
        """One more has to live on the debtors' share."""
        self._in_debt += 1

    def debtor_left(self, address: str = "", now_s: float = 0.0) -> None:
        """One less; with an address: it hung up, and whoever calls from there is suspect for a while."""
        self._in_debt -= 1
        if address:
            self._gone.pop(address, None)
            self._gone[address] = now_s
            if len(self._gone) > MAX_REMEMBERED:
                del self._gone[next(iter(self._gone))]

    def suspects(self, address: str, now_s: float) -> bool:
        """Whether one in debt has just left this address."""
        left_s = self._gone.get(address)
        return left_s is not None and now_s - left_s < REMEMBERED_S

    @property
    def debtors_share(self) -> float:
        """Of the time, for each one in debt."""
        return IN_DEBT_SHARE / max(1, self._in_debt)


class WorkBudget:
    """Seconds of work of one connection, refilled in proportion to the time that passes.

    Args:
        share: of the time, 0..1.
        burst_s: what may be saved up, in seconds of work.
        pot: where more comes from.
        address: of the client; where one in debt was there just now, this one begins on trial.
        opening_s: what it costs to open the connection.

    Attributes:
        opening_wait_s: seconds to wait before anything is read; 0 where nobody in debt was there.
    """

    def __init__(
        self, share: float, burst_s: float, pot: Pot, *, address: str = "", opening_s: float = 0.0, now_s: float = 0.0
    ) -> None:
        self._share = share
        self._burst_s = burst_s
        self._pot = pot
        self._address = address
        self._left_s = burst_s
        self._refilled_s = now_s
        self._waited_s: float | None = None  # when it last had to; None: it is not in debt
        self._on_trial = pot.suspects(address, now_s)
        self.opening_wait_s = 0.0
        if self._on_trial:
            self._left_s = min(burst_s, TRIAL_S)
            self.opening_wait_s = (opening_s + self._left_s) / pot.debtors_share
            self._refilled_s += self.opening_wait_s

    @property
    def is_in_debt(self) -> bool:
        """It took more than it had, not long ago."""
        return self._waited_s is not None

    def spend(self, work_s: float, now_s: float) -> float:
        """Take what some work has cost. Returns how many seconds to wait before the next; 0: go on."""
        self._refill(now_s)
        self._left_s -= work_s
        if self._left_s < 0 and not (self.is_in_debt or self._on_trial):
            self._left_s += self._pot.give(-self._left_s, now_s)
        if self._left_s >= -_ROUNDING_S:
            return 0.0
        self._fall_into_debt(now_s)
        return -self._left_s / self._rate

    def close(self, now_s: float) -> None:
        """The connection is gone. Any number of times."""
        if self.is_in_debt:
            self._waited_s = None
            self._pot.debtor_left(self._address, now_s)

    @property
    def _rate(self) -> float:
        return min(self._share, self._pot.debtors_share) if self.is_in_debt else self._share

    def _fall_into_debt(self, now_s: float) -> None:
        if not self.is_in_debt:
            self._pot.debtor_came()
        self._waited_s = now_s

    def _refill(self, now_s: float) -> None:
        self._left_s = min(self._burst_s, self._left_s + self._rate * max(0.0, now_s - self._refilled_s))
        self._refilled_s = now_s
        if self._left_s == self._burst_s:
            self._on_trial = False
        if self._waited_s is not None and self._left_s >= 0 and now_s - self._waited_s >= FORGIVEN_AFTER_S:
            self._waited_s = None
            self._pot.debtor_left()
