"""When a reader has left the sound of an utterance lying, on a clock of the test's own."""

from __future__ import annotations

from vivavoce.synthesis.reader import STEP_S, Reader


def test_one_that_waits_for_the_next_chunk_has_not_left() -> None:
    reader = Reader(2.0, paced=False)
    assert not reader.has_left(1000.0, None)
    reader.goes(1.0)
    assert not reader.comes(2.0, 5.0)
    assert not reader.has_left(1000.0, 5.0)


def test_one_that_reads_as_fast_as_it_can_has_left_soon() -> None:
    reader = Reader(2.0, paced=False)
    reader.goes(10.0)
    assert not reader.has_left(11.9, 60.0)
    assert reader.has_left(12.0, 60.0)


def test_one_that_is_paced_has_left_when_its_listener_has_nothing() -> None:
    reader = Reader(2.0, paced=True)
    reader.goes(10.0)
    assert not reader.has_left(31.9, 30.0)
    assert reader.has_left(32.0, 30.0)


def test_one_that_came_back_in_time_is_waited_for_and_once_more_only() -> None:
    reader = Reader(2.0, paced=False)
    reader.goes(10.0)
    reader.is_missed = True
    assert reader.comes(20.0, 21.0), "it was missed"
    reader.goes(20.0)
    assert not reader.has_left(31.9, 30.0)
    assert reader.has_left(32.0, 30.0)
    assert reader.has_left(20.0 + STEP_S + 2.0, 1000.0), "and no longer than a client's buffers last"
    reader.is_missed = True
    reader.comes(50.0, 30.0)
    reader.goes(50.0)
    assert reader.has_left(52.0, 60.0)
