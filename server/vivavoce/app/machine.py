"""Settings become the machine that speech and recognition share: the workers, the books, the memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vivavoce.config import Config
from vivavoce.draining import Draining
from vivavoce.machine.admission import Admission
from vivavoce.machine.admission_queue import Admissions
from vivavoce.machine.memory import Residents
from vivavoce.machine.worker import WorkerPool
from vivavoce.metrics import Metrics

MAX_WAITING = 64  # requests in the queue for a place


@dataclass(frozen=True, slots=True)
class Machine:
    """The parts that share this machine's cores and memory: one pool, one admission, one memory budget."""

    pool: WorkerPool
    admission: Admission
    admissions: Admissions
    residents: Residents[Any]


def build_machine(
    config: Config, metrics: Metrics, draining: Draining | None = None, *, share_of_one: float = 1.0
) -> Machine:
    """The workers begin at once; the synthesizer ends them.

    Args:
        draining: of the server; None: the synthesizer begins it when it is drained.
        share_of_one: see `Admission`.
    """
    pool = WorkerPool(
        workers=config.speed.worker_count(),
        step_timeout_s=config.speed.step_timeout_s,
        metrics=metrics,
    )
    admission = Admission(
        cores=config.speed.worker_count(),
        max_streams=config.limits.max_streams,
        max_streams_per_owner=config.limits.max_streams_per_key,
        first_audio_target_s=config.speed.first_audio_target_s,
        share=config.speed.admission_share,
        draining=draining or Draining(),
        share_of_one=share_of_one,
    )
    admissions = Admissions(admission, wait_s=config.speed.queue_wait_s, max_waiting=MAX_WAITING, metrics=metrics)
    return Machine(pool, admission, admissions, Residents(config.voices.voice_memory_mib << 20))
