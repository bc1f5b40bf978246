"""Admission: measured cost against the cores, with the clock as an argument."""

from __future__ import annotations

import pytest

from vivavoce.errors import RateLimited, ShuttingDown
from vivavoce.machine.admission import SHARE_MAX, SHARE_MIN, Admission, Kind

K = Kind("k", "k")


def admission(cores: int = 2, share: float = 0.8, max_streams: int = 64, per_owner: int = 8) -> Admission:
    return Admission(
        cores=cores, max_streams=max_streams, max_streams_per_owner=per_owner, first_audio_target_s=0.3, share=share
    )


def fill(door: Admission, kind: Kind = K, limit: int = 1000) -> int:
    """Admit until refused; every stream is already sounding."""
    for count in range(limit):
        if not door.may_admit([kind]):
            return count
        door.sounding(door.admit("someone", [kind]))
    return limit


@pytest.mark.parametrize(("cost", "expected"), [(0.125, 12), (0.45, 3), (0.75, 2), (5.0, 1)])
def test_streams_are_admitted_while_their_cost_fits_the_share_of_the_cores(cost: float, expected: int) -> None:
    door = admission()
    door.measured(K, cost * 10.0, 10.0)
    assert fill(door) == expected


def test_the_last_room_is_for_who_has_none() -> None:
    """Where owners can be told apart, one who has a stream leaves room for one of somebody else's."""
    door = admission()
    door.share_of_one = 0.5
    door.measured(K, 0.25, 1.0)  # six of them fit
    taken = 0
    while door.may_admit([K], owner="greedy"):
        door.sounding(door.admit("greedy", [K]))
        taken += 1
    assert taken == 5
    assert door.keeps_up([K]), "there is room for a newcomer"
    assert door.may_admit([K], owner="greedy", live=False), "files are behind everything live"
    assert door.may_admit([K], owner="newcomer")
    door.admit("newcomer", [K])
    assert not door.may_admit([K], owner="third")


@pytest.mark.parametrize(("most", "per_owner", "share", "had"), [
    (4, 32, 0.5, 2), (4, 1, 0.5, 1), (1, 32, 0.5, 1), (4, 32, 1.0, 4), (64, 32, 0.5, 32),
])  # fmt: skip
def test_an_owner_has_a_share_of_the_streams(most: int, per_owner: int, share: float, had: int) -> None:
    door = admission(share=0.0, max_streams=most, per_owner=per_owner)
    door.share_of_one = share
    for _ in range(had):
        door.check("greedy")
        door.admit("greedy", [K])
    if share < 1:
        with pytest.raises(RateLimited, match=f"{had} streams"):
            door.check("greedy")
    else:
        door.check("greedy")  # there is nobody else: it waits for room like everybody


def test_an_idle_server_admits_whatever_the_cost() -> None:
    door = admission()
    door.measured(K, 100.0, 1.0)
    assert door.may_admit([K])


def test_a_voice_costs_what_it_costs() -> None:
    door = admission(cores=4, share=0.5)
    door.measured(Kind("genie", "small"), 5.0, 10.0)
    door.measured(Kind("genie", "large"), 15.0, 10.0)
    tickets = [door.admit("a", [Kind("genie", "small")]) for _ in range(3)]
    assert door.may_admit([Kind("genie", "small")]), "control: four small ones are two cores"
    assert not door.may_admit([Kind("genie", "large")])
    assert not door.may_admit([Kind("genie", "new")]), "for all that is known it is as dear as the dearest"
    assert door.may_admit([Kind("embedded", "heart")]), "another engine says nothing about it"
    door.leave(tickets[0])
    assert not door.may_admit([Kind("genie", "large")])
    door.leave(tickets[1])
    assert door.may_admit([Kind("genie", "large")])


def test_a_stream_that_leaves_makes_room() -> None:
    door = admission(max_streams=1)
    ticket = door.admit("a", [K])
    assert not door.may_admit([K])
    door.leave(ticket)
    assert door.may_admit([K])


def test_first_chunks_that_wait_are_a_backlog() -> None:
    door = admission()
    door.measured(K, 0.001, 1.0)
    door.first_took(K, 0.25)
    first = door.admit("a", [K])
    assert door.may_admit([K])  # (0.25 + 0.25) / 2 cores is within the 0.3 s
    door.admit("a", [K])
    assert not door.may_admit([K])
    assert door.keeps_up([K]), "late is not too much"
    door.sounding(first)
    assert door.may_admit([K])


def test_share_shrinks_on_underruns_and_grows_back_slowly() -> None:
    door = admission(share=0.85)
    door.underrun(100.0)
    assert door.share == pytest.approx(0.85 * 0.9)
    door.underrun(100.5)  # the same burst
    assert door.share == pytest.approx(0.85 * 0.9)
    door.ample(120.0)
    assert door.share == pytest.approx(0.85 * 0.9)
    door.ample(131.0)
    assert door.share == pytest.approx(0.85 * 0.9 + 0.02)
    for second in range(200, 400):
        door.underrun(float(second))
    assert door.share == SHARE_MIN
    for step in range(100):
        door.ample(1000.0 + 31.0 * step)
    assert door.share == SHARE_MAX


def test_share_zero_admits_without_measuring() -> None:
    door = admission(share=0.0, max_streams=5)
    door.measured(K, 100.0, 1.0)
    assert fill(door) == 5
    door.underrun(1.0)
    door.ample(1000.0)
    assert door.share == 0.0


def test_one_owner_has_a_limit_of_its_own() -> None:
    door = admission(per_owner=2)
    door.admit("a", [K])
    door.admit("a", [K])
    with pytest.raises(RateLimited):
        door.check("a")
    door.check("b")


def test_a_draining_server_refuses() -> None:
    door = admission()
    door.draining.begin()
    with pytest.raises(ShuttingDown):
        door.check("a")


def test_a_conversation_pays_for_the_dearer_of_what_takes_turns_and_for_what_runs_beside() -> None:
    speech, hearing, detector = Kind("genie", "mika"), Kind("whisper", "base"), Kind("silero", "v5", beside=True)
    door = admission(cores=2, share=0.5)
    for kind, cost in ((speech, 0.5), (hearing, 0.75), (detector, 0.0625)):
        door.measured(kind, cost, 1.0)
    door.admit("a", [speech, hearing, detector])
    assert door.load() == pytest.approx(0.8125)
    assert not door.may_admit([speech])


def test_a_conversation_that_is_silent_is_no_backlog() -> None:
    """Its first answer comes when its user has spoken."""
    door = admission()
    door.first_took(K, 10.0)
    door.admit("a", [K, Kind("whisper", "base")])
    assert door.may_admit([K])
    door.admit("a", [K])
    assert not door.may_admit([K])


def test_files_take_what_the_others_leave() -> None:
    """However dear they are, they stand in nobody's way, and nobody in theirs but for the hard limit."""
    door = admission(max_streams=3)
    door.measured(K, 1.0, 1.0)
    door.admit("a", [K], live=False)
    assert door.load() == 0.0
    assert door.may_admit([K]), "an idle server never refuses"
    door.sounding(door.admit("a", [K]))
    assert not door.may_admit([K])
    assert door.may_admit([K], live=False)
    door.admit("a", [K], live=False)
    assert not door.may_admit([K], live=False)
