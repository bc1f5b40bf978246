"""Packets in whatever order and number a network gives them: out they come in theirs, and soon."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.transports.webrtc.packet_buffer import MOST_HELD, PATIENCE_S, Lost, PacketBuffer

PACKET_S = 0.02


def arrive(numbers: list[int], every_s: float = PACKET_S) -> list[bytes | Lost]:
    """Packets that come one after the other; each says its number."""
    buffer, told = PacketBuffer(), []  # type: tuple[PacketBuffer, list[bytes | Lost]]
    for place, number in enumerate(numbers):
        told += buffer.add(number % 0x10000, str(number).encode(), place * every_s)
    return told + buffer.take(len(numbers) * every_s + PATIENCE_S)


def said(*numbers: int) -> list[bytes]:
    return [str(number).encode() for number in numbers]


def test_what_is_in_order_goes_on_at_once() -> None:
    buffer = PacketBuffer()
    assert buffer.add(7, b"a", 0.0) == [b"a"]
    assert buffer.add(8, b"b", 0.02) == [b"b"]
    assert buffer.due_s is None


def test_neighbours_that_changed_places() -> None:
    assert arrive([1, 3, 2, 4]) == said(1, 2, 3, 4)


def test_a_lost_packet_is_given_up_after_a_moment_and_nothing_stays_late() -> None:
    buffer = PacketBuffer()
    buffer.add(1, b"1", 0.0)
    assert buffer.add(3, b"3", 0.04) == []
    assert buffer.due_s == pytest.approx(0.10)
    assert buffer.add(4, b"4", 0.06) == []
    assert buffer.take(0.0999) == []
    assert buffer.take(0.1001) == [Lost(1), b"3", b"4"]
    assert buffer.add(5, b"5", 0.12) == [b"5"]
    assert buffer.add(2, b"2", 0.13) == []  # too late


def test_several_lost_in_a_row_are_told_as_one_gap() -> None:
    assert arrive([1, 5, 6, 7, 8, 9]) == [b"1", Lost(3), *said(5, 6, 7, 8, 9)]


def test_what_comes_twice_comes_once() -> None:
    assert arrive([1, 1, 2, 3, 2]) == said(1, 2, 3)


def test_numbers_wrap_around() -> None:
    assert arrive([65534, 65536, 65535, 65537]) == said(65534, 65535, 65536, 65537)


@pytest.mark.parametrize("jump", [-20_000, -300, 300, 20_000])
def test_a_stream_that_begins_anew_is_followed(jump: int) -> None:
    assert arrive([30_000, 30_001, 30_001 + jump, 30_002 + jump]) == said(30_000, 30_001, 30_001 + jump, 30_002 + jump)


def test_no_more_is_held_than_a_second_whatever_the_clock_says() -> None:
    buffer = PacketBuffer()
    buffer.add(0, b"", 0.0)
    told = [buffer.add(number, b"x", 0.0) for number in range(2, MOST_HELD + 3)]
    assert told[:-1] == [[]] * (len(told) - 1)
    assert told[-1][0] == Lost(1)


@given(st.integers(0, 2**32), st.floats(0, 0.5), st.integers(0, 3))
def test_whatever_happens_the_order_is_kept_and_every_packet_is_accounted_for(
    seed: int, loss: float, shuffle: int
) -> None:
    chance = random.Random(seed)
    kept = [number for number in range(200) if number == 0 or chance.random() >= loss]
    came = sorted(kept, key=lambda number: number + chance.random() * shuffle if number else 0)
    told = arrive(came)
    numbers = [int(each) for each in told if isinstance(each, bytes)]
    assert numbers == sorted(set(numbers))
    assert set(numbers) <= set(kept)
    covered = sum(each.count if isinstance(each, Lost) else 1 for each in told)
    assert covered == numbers[-1] + 1
