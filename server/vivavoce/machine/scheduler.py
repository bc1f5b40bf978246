"""Which streams step next: earliest deadline first. Pure: no clock, no thread, no engine.

Called by `worker.py` each time a worker is free. The listener's clock decides: the stream whose buffer runs dry first
is served first, streams that can share one pass over the weights come along, and a stream far enough ahead waits. While
a group is in a pass its other streams wait for the next one: two passes side by side would read the same weights twice.
Speech, recognition and files compete here by one rule; who is due when is told by the functions below.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

MARGIN_S = 0.150  # a chunk is due this long before the listener's buffer runs dry
FINAL_S = 0.3  # a final transcript is due this long after the end of speech
DETECTOR_S = 0.032  # a frame of the speech detector is due before the next one comes
LONG_STEP_S = 0.1  # a step that takes longer must not take the last worker from a live stream
MAX_THREADS = 4  # of one step; more gain nothing on matrices of this size
SOON_S = 0.5  # what is due by then may not wait for a step that could
WAITED_FOR_S = 0.3  # a first chunk and a final transcript are due by then: no step of a file is begun beside theirs
FETCHED_S = 10.0  # of sound that its listener has not heard yet: who takes it so fast saves it, or hears it later
FAR_S = 1.0  # from its deadline, a step can wait: one that is due soon is taken up beside it


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stream that could be stepped.

    Attributes:
        id: the caller's handle.
        group: candidates with equal groups are stepped by one call.
        max_batch: streams one call of this group may advance.
        deadline_s: when its next result is due, on the clock of `now_s`; infinity: when there is room.
        ready_at_s: not before this time (a stream far ahead of its listener waits).
        live: somebody listens or speaks in real time. Files are stepped one at a time, behind everything live.
        kind: steps of one kind take equally long; the caller measures how long.
    """

    id: int
    group: Hashable
    max_batch: int
    deadline_s: float
    ready_at_s: float = 0.0
    live: bool = True
    kind: Hashable = None


@dataclass(frozen=True, slots=True)
class Running:
    """A step that a worker is in.

    Attributes:
        due_s: the earliest deadline of its streams.
    """

    group: Hashable
    live: bool = True
    threads: int = 1
    due_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Choice:
    """What to do now: step `ids` together, or, where that is empty, look again after `wait_s` (None: when told).

    Attributes:
        threads: to compute with.
        due_s: the earliest deadline of the group.
    """

    ids: tuple[int, ...] = ()
    group: Hashable = None
    kind: Hashable = None
    live: bool = True
    threads: int = 1
    wait_s: float | None = None
    due_s: float = 0.0


def choose(
    candidates: Iterable[Candidate],
    now_s: float,
    running: Sequence[Running] = (),
    *,
    workers: int = 1,
    step_s: Mapping[Hashable, float] | None = None,
    beside: bool = False,
) -> Choice:
    """The group to step next; where two are due at once, the one named first.

    One more thread than workers may ask: where all of them are in a step, it gets what is due soon, beside steps that
    are ahead of their listeners, so that nobody's first sound waits for a sound that nobody waits for.

    Args:
        candidates: streams that no worker is stepping.
        now_s: seconds, any monotonic clock.
        running: steps that workers are in.
        workers: all of them, the one that asks included; also the cores.
        step_s: how long steps of a kind take, in seconds.
        beside: it is that thread who asks.
    """
    groups = {step.group for step in running}
    waiting = [c for c in candidates if c.group not in groups]
    is_last_worker = len(running) >= workers - 1
    lengths = step_s or {}
    if beside or len(running) >= workers:
        waiting = _beside(waiting, running, now_s, lengths) if beside and len(running) == workers else []
    begin = [
        c
        for c in waiting
        if c.ready_at_s <= now_s
        and (c.live or _has_room_for_a_file(running, now_s))
        and not (_is_fetched(c.live, c.deadline_s, now_s) and not _has_room_for_a_fetch(running, now_s, workers))
        and not (is_last_worker and _is_in_the_way(c, waiting, now_s, lengths))
    ]
    if not begin:
        return Choice(wait_s=_next_look_s(waiting, now_s))
    first = min(begin, key=_urgency)
    mates = sorted((c for c in begin if c.group == first.group), key=_urgency)[: first.max_batch]
    # A step of a file is short, and no further one is begun beside this: it takes no thread from the live.
    others = any(c.live and c.group != first.group and c.ready_at_s <= now_s for c in waiting)
    alone = not others and not any(step.live or not first.live for step in running)
    threads = min(workers, MAX_THREADS) if alone else 1
    return Choice(
        tuple(c.id for c in mates), first.group, first.kind, live=first.live, threads=threads, due_s=first.deadline_s
    )


def _beside(
    waiting: Sequence[Candidate], running: Sequence[Running], now_s: float, lengths: Mapping[Hashable, float]
) -> list[Candidate]:
    """What may be stepped though every worker is in a step: it is short and due soon, and one of those could wait."""
    if all(step.due_s < now_s + FAR_S for step in running):
        return []
    return [c for c in waiting if c.live and c.deadline_s < now_s + SOON_S and lengths.get(c.kind, 0.0) <= LONG_STEP_S]


def _urgency(candidate: Candidate) -> tuple[bool, float]:
    return not candidate.live, candidate.deadline_s


def _has_room_for_a_file(running: Sequence[Running], now_s: float) -> bool:
    """One file step at a time, none beside a step that was given all cores, and none where somebody waits."""
    return all(step.live and step.threads == 1 and step.due_s > now_s + WAITED_FOR_S for step in running)


def _is_fetched(live: bool, due_s: float, now_s: float) -> bool:
    return live and now_s + FETCHED_S < due_s < WHEN_THERE_IS_ROOM


def _has_room_for_a_fetch(running: Sequence[Running], now_s: float, workers: int) -> bool:
    """Whoever is far ahead leaves a worker to those who are not, and another for each step that somebody waits for.

    Two hardware threads of a core compute a first sound in twice the time where the other one is busy.
    """
    fetches = sum(_is_fetched(step.live, step.due_s, now_s) for step in running)
    waited_for = sum(step.live and step.due_s <= now_s + WAITED_FOR_S for step in running)
    return fetches + waited_for < max(1, workers - 1)


def _is_in_the_way(
    candidate: Candidate, waiting: Sequence[Candidate], now_s: float, lengths: Mapping[Hashable, float]
) -> bool:
    """True when its step is long and another live stream is due while it runs.

    One that is late itself goes: it would wait for ever where the others are due again and again. Of two long ones
    that are in each other's way, the one that is due first goes.
    """
    length_s = lengths.get(candidate.kind, 0.0)
    if length_s <= LONG_STEP_S or candidate.deadline_s < now_s:
        return False
    return any(
        c.live
        and c.group != candidate.group
        and now_s < c.deadline_s < now_s + length_s
        and (c.deadline_s < candidate.deadline_s or c.ready_at_s > now_s or lengths.get(c.kind, 0.0) <= LONG_STEP_S)
        for c in waiting
    )


def _next_look_s(waiting: Sequence[Candidate], now_s: float) -> float | None:
    """When what is not ready will be, or what stands in the way is no longer due; None: when told."""
    times = [c.ready_at_s for c in waiting if c.ready_at_s > now_s]
    times += [c.deadline_s for c in waiting if c.live and now_s < c.deadline_s < math.inf and c.ready_at_s > now_s]
    return min(times) - now_s if times else None


# -- when something is due


def deadline(*, arrival_s: float, first_audio_target_s: float, dry_at_s: float | None) -> float:
    """When a stream's next chunk is due.

    Args:
        arrival_s: when its request came.
        first_audio_target_s: how soon the first sound should leave.
        dry_at_s: when its listener's buffer runs dry; None before the first chunk.
    """
    return arrival_s + first_audio_target_s if dry_at_s is None else dry_at_s - MARGIN_S


def final_deadline(speech_ended_s: float) -> float:
    """When the transcript of what was said until then is due."""
    return speech_ended_s + FINAL_S


def detector_deadline(frame_came_s: float) -> float:
    """When the detector must have heard the frame that came then."""
    return frame_came_s + DETECTOR_S


WHEN_THERE_IS_ROOM = math.inf  # deadline of a partial transcript, which the next one replaces, and of a file


# -- who is admitted next


def fair_order(waiting: Sequence[tuple[str, float]], active: Mapping[str, int]) -> list[int]:
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
