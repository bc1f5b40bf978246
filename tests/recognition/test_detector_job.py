"""The detector among the workers: whatever is fed is looked at, whichever thread of the pool hears of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from fake_recognizer import FakeRecognizer
from loudness import Loudness
from vivavoce.engines.recognizer import Heard, HearingOptions
from vivavoce.machine.worker import WorkerPool
from vivavoce.metrics import Metrics
from vivavoce.recognition.detector_job import DetectorJob
from vivavoce.recognition.hearing_job import HearingJob, LoadedModel
from vivavoce.recognition.speech_detector import FRAME


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool(workers=2, step_timeout_s=10, metrics=Metrics())
    yield pool
    assert pool.close()


@pytest.mark.parametrize("live", [True, False])
def test_a_frame_is_looked_at_whoever_is_woken(pool: WorkerPool, live: bool) -> None:
    """Not every thread may step everything: who is told first may have nothing to do, while another would."""
    found = threading.Event()
    job = DetectorJob(Loudness(), pool.changed, found.set, live)
    pool.add(job)
    for _ in range(20):
        found.clear()
        job.feed(np.zeros(FRAME, np.float32))
        assert found.wait(10)
        assert len(job.take()) == 1
    pool.remove(job)


@pytest.mark.parametrize("live", [True, False])
def test_a_segment_is_heard_whoever_is_woken(pool: WorkerPool, live: bool) -> None:
    ears = FakeRecognizer()
    loaded = LoadedModel(ears, ears.load_model("ear"))
    for _ in range(20):
        found = threading.Event()
        job = HearingJob(loaded, HearingOptions(), pool.changed, found.set, live)
        pool.add(job)
        job.hear(np.full(FRAME, 0.5, np.float32), "end", 0.0)
        heard: list[Heard] = []
        while not any(each.is_final for each in heard):
            assert found.wait(10)
            found.clear()
            heard += job.take()
        pool.remove(job)
