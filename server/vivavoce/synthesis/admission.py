"""May one more utterance begin? Pure bookkeeping of measured real-time cost; the clock comes in as an argument.

Cost of a stream = core seconds of compute per second of audio, known for each kind, "engine/voice". The sum of what is
admitted stays under a share of the cores; the share shrinks when a listener ran dry and grows back slowly, so it finds
what this machine can carry. Called by `synthesizer.py`, on the event loop only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vivavoce.errors import Overloaded, RateLimited, ShuttingDown

SHARE_START = 0.85
SHARE_MIN, SHARE_MAX = 0.4, 0.95
SHRINK = 0.9
GROW = 0.02
GROW_AFTER_S = 30.0
UNKNOWN_COST = 0.3  # core seconds per audio second, before the first measurement
_EWMA = 0.2


@dataclass(slots=True)
class Admission:
    """Counts what runs and says whether one more may join.

    Attributes:
        cores: CPU cores the engines may use.
        max_streams: hard limit of utterances at once.
        max_streams_per_owner: the same for one API key.
        first_audio_target_s: how soon the first sound should leave.
        share: of the cores that may be admitted; adapts. 0: up to `max_streams`, without measuring.
        draining: nobody is admitted any more.
    """

    cores: int
    max_streams: int
    max_streams_per_owner: int
    first_audio_target_s: float
    share: float = SHARE_START
    draining: bool = False
    _costs: dict[str, float] = field(default_factory=dict)  # kind -> core seconds per audio second
    _first_costs: dict[str, float] = field(default_factory=dict)  # kind -> core seconds until the first chunk
    _active: dict[int, tuple[str, str]] = field(default_factory=dict)  # ticket -> (owner, kind)
    _silent: set[int] = field(default_factory=set)  # admitted, first chunk not made yet
    _next_ticket: int = 0
    _changed_s: float = 0.0

    # -- what is known of the machine

    def measured(self, kind: str, core_s: float, audio_s: float) -> None:
        """A sentence of this kind took `core_s` of compute for `audio_s` of sound."""
        if audio_s <= 0:
            return
        old = self._costs.get(kind)
        new = core_s / audio_s
        self._costs[kind] = new if old is None else old + _EWMA * (new - old)

    def first_chunk_took(self, kind: str, core_s: float) -> None:
        """The first chunk of an utterance of this kind took `core_s` of compute."""
        old = self._first_costs.get(kind, core_s)
        self._first_costs[kind] = old + _EWMA * (core_s - old)

    def underrun(self, now_s: float) -> None:
        """A listener ran dry: admit less (at most once a second, one burst is one event)."""
        if self.share > 0 and now_s - self._changed_s >= 1.0:
            self.share = max(SHARE_MIN, self.share * SHRINK)
            self._changed_s = now_s

    def ample(self, now_s: float) -> None:
        """Chunks come in good time: after half a minute of it, admit a little more."""
        if self.share > 0 and now_s - self._changed_s >= GROW_AFTER_S:
            self.share = min(SHARE_MAX, self.share + GROW)
            self._changed_s = now_s

    # -- streams

    def load(self) -> float:
        """Cores' worth of compute that the admitted streams need."""
        return sum(self._cost(kind) for _, kind in self._active.values())

    def active(self) -> dict[str, int]:
        """Streams of each owner."""
        counts: dict[str, int] = {}
        for owner, _ in self._active.values():
            counts[owner] = counts.get(owner, 0) + 1
        return counts

    def check(self, owner: str) -> None:
        """Refuse what waiting cannot help.

        Raises:
            ShuttingDown: If the server drains.
            RateLimited: If this owner is at its own limit.
        """
        if self.draining:
            raise ShuttingDown("the server is shutting down", retry_after_s=5.0)
        if self.active().get(owner, 0) >= self.max_streams_per_owner:
            raise RateLimited(f"this key already has {self.max_streams_per_owner} streams; wait for one to end")

    def may_admit(self, kind: str) -> bool:
        """True when one more stream of this kind keeps real time and its first chunk comes in time."""
        return self.keeps_up(kind) and (not self._silent or self.share == 0 or self._opens_in_time(kind))

    def keeps_up(self, kind: str) -> bool:
        """True when one more stream of this kind keeps real time, however late it begins."""
        if not self._active:
            return True  # an idle server never refuses, whatever the measured cost
        if len(self._active) >= self.max_streams:
            return False
        return self.share == 0 or self.load() + self._cost(kind) <= self.share * self.cores

    def _cost(self, kind: str) -> float:
        """Of a voice that was not heard yet: the dearest of its engine."""
        if kind in self._costs:
            return self._costs[kind]
        engine = kind.partition("/")[0]
        relatives = [cost for known, cost in self._costs.items() if known.partition("/")[0] == engine]
        return max(relatives, default=UNKNOWN_COST)

    def _opens_in_time(self, kind: str) -> bool:
        backlog = sum(self._first_costs.get(self._active[t][1], 0.0) for t in self._silent)
        return (backlog + self._first_costs.get(kind, 0.0)) / self.cores <= self.first_audio_target_s

    def admit(self, owner: str, kind: str) -> int:
        """Count one stream in. Returns its ticket, for `sounding` and `leave`."""
        self._next_ticket += 1
        self._active[self._next_ticket] = (owner, kind)
        self._silent.add(self._next_ticket)
        return self._next_ticket

    def sounding(self, ticket: int) -> None:
        """Its first chunk is made."""
        self._silent.discard(ticket)

    def leave(self, ticket: int) -> None:
        """It ended, however."""
        self._silent.discard(ticket)
        self._active.pop(ticket, None)


def refusal(waited_s: float) -> Overloaded:
    """The error for a request that waited in vain."""
    return Overloaded(f"the server is at capacity (waited {waited_s:.1f} s)", retry_after_s=2.0)
