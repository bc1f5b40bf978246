"""One utterance among the workers, stepped by the test itself: no pool, no thread, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Condition

from fake_engine import FakeEngine, FakeStream
from vivavoce.engines.speech import SpeechOptions
from vivavoce.errors import EngineCrashed
from vivavoce.metrics import Metrics
from vivavoce.synthesis.job_settings import JobSettings
from vivavoce.synthesis.speech_job import SpeechJob
from vivavoce.synthesis.voice_library import LoadedVoice
from vivavoce.text.sentences import Sentence

HI = Sentence("Hi.", 0, 0, "sentence")


def job_of(engine: FakeEngine) -> SpeechJob:
    """It is to say one sentence of three steps."""
    job = SpeechJob(JobSettings(SpeechOptions(), 24_000, 10.0), 0.0, Condition(), Metrics(), lambda: None)
    job.use(LoadedVoice(engine, engine.load_voice("alpha"), engine.voices()[0]))
    job.feed([HI], ended=True)
    return job


def work(job: SpeechJob) -> None:
    """Step it until there is nothing left to do."""
    while job.candidate() is not None:
        job.advance([job], 1)


def taken(job: SpeechJob) -> int:
    """Samples that a reader finds."""
    samples = 0
    while (made := job.take()) is not None:
        samples += len(made.chunk.audio.samples)
    return samples


def test_it_has_ended_when_everything_was_taken_and_not_before() -> None:
    job = job_of(FakeEngine())
    work(job)
    assert job.is_idle()
    assert not job.has_ended(), "three chunks wait for their reader"
    assert taken(job) == 3 * 480
    assert job.has_ended()


def test_what_was_given_up_while_a_worker_was_in_its_step_delivers_nothing() -> None:
    failures = iter([EngineCrashed("the engine failed")])

    def before(streams: Sequence[FakeStream]) -> None:
        for error in failures:
            job.fail(error)

    job = job_of(FakeEngine(before_step=before))
    work(job)
    assert taken(job) == 3 * 480, "the second try is heard, and nothing of the first"
    assert job.has_ended()
