"""Which streams step next: earliest playout deadline first. Pure: no clock, no thread, no engine.

Called by `worker.py` each time a worker is free. The listener's clock decides: the stream whose buffer runs dry first
is served first, streams that can share one pass over the weights come along, and a stream far enough ahead waits. While
a group is in a pass its other streams wait for the next one: two passes side by side would read the same weights twice.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass

MARGIN_S = 0.150  # a chunk is due this long before the listener's buffer runs dry


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stream that could be stepped.

    Attributes:
        id: the caller's handle.
        group: candidates with equal groups are stepped by one call.
        max_batch: streams one call of this group may advance.
        deadline_s: when its next chunk is due, on the clock of `now_s`.
        ready_at_s: not before this time (a stream far ahead of its listener waits).
    """

    id: int
    group: Hashable
    max_batch: int
    deadline_s: float
    ready_at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Choice:
    """What to do now: step `ids` together, or, where that is empty, look again after `wait_s` (None: when told)."""

    ids: tuple[int, ...] = ()
    group: Hashable = None
    wait_s: float | None = None


def choose(candidates: Iterable[Candidate], now_s: float, running: Collection[Hashable] = ()) -> Choice:
    """The group to step next.

    Args:
        candidates: streams that no worker is stepping.
        now_s: seconds, any monotonic clock.
        running: groups that workers are stepping.
    """
    waiting = [c for c in candidates if c.group not in running]
    ready = [c for c in waiting if c.ready_at_s <= now_s]
    if not ready:
        return Choice(wait_s=min(c.ready_at_s for c in waiting) - now_s if waiting else None)
    first = min(ready, key=lambda c: (c.deadline_s, c.id))
    mates = sorted((c for c in ready if c.group == first.group), key=lambda c: (c.deadline_s, c.id))
    return Choice(tuple(c.id for c in mates[: first.max_batch]), first.group)


def deadline(*, arrival_s: float, first_audio_target_s: float, dry_at_s: float | None) -> float:
    """When a stream's next chunk is due.

    Args:
        arrival_s: when its request came.
        first_audio_target_s: how soon the first sound should leave.
        dry_at_s: when its listener's buffer runs dry; None before the first chunk.
    """
    return arrival_s + first_audio_target_s if dry_at_s is None else dry_at_s - MARGIN_S


def fair_order(waiting: Sequence[tuple[str, float]], active: dict[str, int]) -> list[int]:
    """Who of the waiting is admitted next: owners with the fewest active streams first, then who came first.

    Args:
        waiting: (owner, arrival_s) of each waiting request.
        active: streams each owner has now.

    Returns:
        Indices into `waiting`; an owner's second request stands behind every other owner's first.
    """
    turns: dict[str, int] = {}
    keyed: list[tuple[int, float, int]] = []
    for index in sorted(range(len(waiting)), key=lambda i: waiting[i][1]):
        owner, arrival_s = waiting[index]
        turn = active.get(owner, 0) + turns.get(owner, 0)
        turns[owner] = turns.get(owner, 0) + 1
        keyed.append((turn, arrival_s, index))
    return [index for _, _, index in sorted(keyed)]
