"""May one more stream begin? Pure bookkeeping of measured real-time cost; the clock comes in as an argument.

Cost of a stream = core seconds of compute per second of real time, known for each `Kind`. The sum of what is admitted
stays under a share of the cores; the share shrinks when a listener ran dry and grows back slowly, so it finds what this
machine can carry. Knows nothing of what is computed. `admission_queue.py` lets streams in and hands out their `Place`;
everything here happens on the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from vivavoce.draining import Draining
from vivavoce.errors import Overloaded, RateLimited, ShuttingDown

SHARE_START = 0.85
SHARE_MIN, SHARE_MAX = 0.4, 0.95
SHRINK = 0.9
GROW = 0.02
GROW_AFTER_S = 30.0
UNKNOWN_COST = 0.3  # core seconds per second, before the first measurement
_EWMA = 0.2


class Kind(NamedTuple):
    """Work whose cost is counted together: an engine and a voice, or a model.

    Attributes:
        engine: name of a speech engine or a recognizer.
        model: id of the voice or of the weights.
        beside: it runs beside the other kinds of its place (a speech detector) and not in turn with them.
    """

    engine: str
    model: str
    beside: bool = False


@dataclass(frozen=True, slots=True)
class _Stream:
    """What was let in."""

    owner: str
    kinds: tuple[Kind, ...]
    live: bool


@dataclass(slots=True)
class Admission:
    """Counts what runs and says whether one more may join.

    Attributes:
        cores: CPU cores the engines may use.
        max_streams: hard limit of streams at once.
        max_streams_per_owner: the same for one API key.
        share_of_one: of `max_streams` that one owner may have, 0..1. Below 1 owners can be told apart: one who has a
            stream leaves room for one more of somebody else's.
        first_audio_target_s: how soon the first result should leave.
        share: of the cores that may be admitted; adapts. 0: up to `max_streams`, without measuring.
        draining: once it has begun, nobody is admitted any more.
    """

    cores: int
    max_streams: int
    max_streams_per_owner: int
    first_audio_target_s: float
    share: float = SHARE_START
    draining: Draining = field(default_factory=Draining)
    share_of_one: float = 1.0
    _costs: dict[Kind, float] = field(default_factory=dict)  # core seconds per second
    _first_costs: dict[Kind, float] = field(default_factory=dict)  # core seconds until the first result
    _active: dict[int, _Stream] = field(default_factory=dict)  # by ticket
    _silent: set[int] = field(default_factory=set)  # tickets of those whose first result is still to come
    _next_ticket: int = 0
    _changed_s: float = 0.0

    # -- what is known of the machine

    def wants_to_know(self, kind: Kind) -> bool:
        """True where cost decides and that of this kind was not measured yet."""
        return self.share > 0 and kind not in self._costs

    def measured(self, kind: Kind, core_s: float, real_s: float) -> None:
        """Work of this kind took `core_s` of compute for `real_s` of sound, made or heard."""
        if real_s <= 0:
            return
        old = self._costs.get(kind)
        new = core_s / real_s
        self._costs[kind] = new if old is None else old + _EWMA * (new - old)

    def first_took(self, kind: Kind, core_s: float) -> None:
        """The first result of a stream of this kind took `core_s` of compute."""
        old = self._first_costs.get(kind, core_s)
        self._first_costs[kind] = old + _EWMA * (core_s - old)

    def underrun(self, now_s: float) -> None:
        """A listener ran dry: admit less (at most once a second, one burst is one event)."""
        if self.share > 0 and now_s - self._changed_s >= 1.0:
            self.share = max(SHARE_MIN, self.share * SHRINK)
            self._changed_s = now_s

    def ample(self, now_s: float) -> None:
        """Results come in good time: after half a minute of it, admit a little more."""
        if self.share > 0 and now_s - self._changed_s >= GROW_AFTER_S:
            self.share = min(SHARE_MAX, self.share + GROW)
            self._changed_s = now_s

    # -- streams

    def load(self) -> float:
        """Cores' worth of compute that the admitted streams need. Files need what the others leave."""
        return sum(self._cost(stream.kinds) for stream in self._active.values() if stream.live)

    def active(self) -> dict[str, int]:
        """Streams of each owner."""
        counts: dict[str, int] = {}
        for stream in self._active.values():
            counts[stream.owner] = counts.get(stream.owner, 0) + 1
        return counts

    def check(self, owner: str, *, is_new: bool = True) -> None:
        """Refuse what waiting cannot help.

        Args:
            is_new: False: it was admitted before, and may end while the server drains.

        Raises:
            ShuttingDown: If the server drains.
            RateLimited: If this owner is at its own limit.
        """
        if self.draining.has_begun and is_new:
            raise ShuttingDown("the server is shutting down", retry_after_s=5.0)
        most = self.max_streams_per_owner
        if self.share_of_one < 1:
            most = min(most, max(1, int(self.max_streams * self.share_of_one)))
        if self.active().get(owner, 0) >= most:
            raise RateLimited(f"this key already has {most} streams; wait for one to end")

    def may_admit(self, kinds: Sequence[Kind], *, live: bool = True, owner: str | None = None) -> bool:
        """True when one more such stream keeps real time and its first result comes in time."""
        if not self.keeps_up(kinds, live=live, owner=owner):
            return False
        return not live or not self._silent or self.share == 0 or self._opens_in_time(kinds)

    def keeps_up(self, kinds: Sequence[Kind], *, live: bool = True, owner: str | None = None) -> bool:
        """True when one more such stream keeps real time, however late it begins.

        Args:
            owner: whose it is; None: whoever has none yet.
        """
        if not self._active:
            return True  # an idle server never refuses, whatever the measured cost
        if len(self._active) >= self.max_streams:
            return False
        if not live or self.share == 0 or not any(stream.live for stream in self._active.values()):
            return True
        streams = 2 if self._leaves_room(owner) else 1
        return self.load() + streams * self._cost(kinds) <= self.share * self.cores

    def _leaves_room(self, owner: str | None) -> bool:
        """Whether the last room is not for this owner: it has something already, and others may come."""
        return self.share_of_one < 1 and any(each.owner == owner and each.live for each in self._active.values())

    def admit(self, owner: str, kinds: Sequence[Kind], *, live: bool = True) -> int:
        """Count one stream in. Returns its ticket, for `sounding` and `leave`."""
        self._next_ticket += 1
        self._active[self._next_ticket] = _Stream(owner, tuple(kinds), live)
        if live and len(kinds) == 1:  # a conversation's first answer comes when its user has spoken, not now
            self._silent.add(self._next_ticket)
        return self._next_ticket

    def sounding(self, ticket: int) -> None:
        """Its first result is made."""
        self._silent.discard(ticket)

    def leave(self, ticket: int) -> None:
        """Give a place back, however its work ended. Any number of times."""
        self._silent.discard(ticket)
        self._active.pop(ticket, None)

    def _cost(self, kinds: Sequence[Kind]) -> float:
        """Of one stream: its kinds take turns, so the dearest counts, and what runs beside them."""
        turns = max((self._cost_of(kind) for kind in kinds if not kind.beside), default=0.0)
        return turns + sum(self._cost_of(kind) for kind in kinds if kind.beside)

    def _cost_of(self, kind: Kind) -> float:
        """Of a model that was not measured yet: the dearest of its engine."""
        if kind in self._costs:
            return self._costs[kind]
        relatives = [cost for known, cost in self._costs.items() if known.engine == kind.engine]
        return max(relatives, default=UNKNOWN_COST)

    def _opens_in_time(self, kinds: Sequence[Kind]) -> bool:
        backlog = sum(self._first_cost(self._active[ticket].kinds) for ticket in self._silent)
        return (backlog + self._first_cost(kinds)) / self.cores <= self.first_audio_target_s

    def _first_cost(self, kinds: Sequence[Kind]) -> float:
        return max((self._first_costs.get(kind, 0.0) for kind in kinds), default=0.0)


class Place:
    """Room on the machine for one stream, or for a conversation that speaks and listens in turn.

    Whoever computes for it tells it what that cost and whether its listener was served in time. Made by
    `admission_queue.Admissions.enter`.
    """

    def __init__(self, admission: Admission, ticket: int, *, changed: Callable[[], None]) -> None:
        self._admission = admission
        self._ticket = ticket
        self._changed = changed

    def measured(self, kind: Kind, core_s: float, real_s: float) -> None:
        """A piece of work of this kind took `core_s` core seconds for `real_s` seconds of sound, made or heard."""
        self._admission.measured(kind, core_s, real_s)

    def sounding(self, kind: Kind | None = None, core_s: float = 0.0) -> None:
        """Its first result is made, after `core_s` of work of this kind: those that would come too late may begin."""
        if kind is not None:
            self._admission.first_took(kind, core_s)
        self._admission.sounding(self._ticket)
        self._changed()

    def ran_dry(self, now_s: float) -> None:
        """Its listener waited for something that was computed too late."""
        self._admission.underrun(now_s)

    def in_time(self, now_s: float) -> None:
        """The listener did not run dry up to now: the share may grow."""
        self._admission.ample(now_s)


def refusal(waited_s: float) -> Overloaded:
    """The error for a request that waited in vain."""
    return Overloaded(f"the server is at capacity (waited {waited_s:.1f} s)", retry_after_s=2.0)
