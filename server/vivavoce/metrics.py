"""Every number the server counts, as one object made by the composition root and handed down.

Names follow Prometheus' conventions with the prefix `voice_`. Labels never hold keys, sessions or text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_LATENCY_S = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.4, 0.6, 1.0, 2.0, 5.0, 10.0)
_RTF = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 3.0)
_SLACK_S = (-1.0, -0.25, -0.05, 0.0, 0.05, 0.15, 0.3, 0.6, 1.0, 2.0, 4.0, 8.0)


class Metrics:
    """One registry of its own, so that several servers may live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry

        # -- requests
        self.requests = Counter(
            "voice_requests", "Utterances and requests by their end", ["route", "outcome", "reason"], registry=r
        )
        self.rejected_inputs = Counter("voice_rejected_inputs", "Requests refused by wire code", ["code"], registry=r)
        self.decoder_deaths = Counter(
            "voice_decoder_deaths", "Decoder processes that died of an upload, or were too slow", registry=r
        )
        self.auth_failures = Counter("voice_auth_failures", "Refused callers", ["reason"], registry=r)
        self.input_characters = Counter("voice_input_characters", "Code points taken in to be spoken", registry=r)

        # -- time
        self.ttfa = Histogram(
            "voice_ttfa_seconds",
            "From the request to its first audible chunk",
            ["transport", "engine"],
            buckets=_LATENCY_S,
            registry=r,
        )
        self.queue = Histogram("voice_queue_seconds", "Waiting to be admitted", buckets=_LATENCY_S, registry=r)
        self.cancel_latency = Histogram(
            "voice_cancel_latency_seconds", "From cancel to the engine's stop", buckets=_LATENCY_S, registry=r
        )
        self.event_loop_lag = Histogram(
            "voice_event_loop_lag_seconds", "How late the event loop wakes", buckets=_LATENCY_S, registry=r
        )

        self.event_loop_tasks = Gauge("voice_event_loop_tasks", "Tasks of the event loop", registry=r)

        # -- the stream
        self.engine_rtf = Histogram(
            "voice_engine_rtf",
            "Core seconds of each stage, and of all, per second of audio",
            ["engine", "stage"],
            buckets=_RTF,
            registry=r,
        )
        self.chunk_slack = Histogram(
            "voice_chunk_slack_seconds",
            "Audio left at the listener when a chunk is ready",
            buckets=_SLACK_S,
            registry=r,
        )
        self.chunk_gap = Histogram("voice_chunk_gap_seconds", "Between two chunks", buckets=_LATENCY_S, registry=r)
        self.underruns = Counter("voice_underruns", "Chunks that came after the buffer ran dry", registry=r)
        self.underrun_seconds = Counter("voice_underrun_seconds", "Silence caused by underruns", registry=r)
        self.audio_seconds = Counter("voice_audio_seconds", "Speech made", registry=r)
        self.heard_seconds = Counter("voice_heard_seconds", "Recordings taken in to be heard", registry=r)
        self.bad_samples = Counter("voice_bad_samples", "NaN, infinite or clipped samples", registry=r)

        # -- what is open now
        self.active_streams = Gauge("voice_active_streams", "Utterances being spoken", ["transport"], registry=r)
        self.active_hearings = Gauge(
            "voice_active_hearings", "Listened to, recordings included", ["transport"], registry=r
        )
        self.open_sockets = Gauge("voice_open_sockets", "Open connections", ["transport"], registry=r)
        self.load_ratio = Gauge("voice_rt_load_ratio", "Cost of admitted streams over all cores", registry=r)
        self.capacity_ratio = Gauge("voice_rt_capacity_ratio", "Share of the cores that may be admitted", registry=r)
        self.voices_loaded = Gauge("voice_voices_loaded", "Voices in memory", registry=r)
        self.voice_load = Histogram(
            "voice_voice_load_seconds", "Loading a voice", buckets=(0.1, 0.3, 1.0, 2.0, 5.0, 15.0, 60.0), registry=r
        )

    def ran_dry(self, silent_s: float) -> None:
        """A listener in the middle of an utterance heard nothing for so many seconds, by the server's fault."""
        self.underruns.inc()
        self.underrun_seconds.inc(silent_s)

    def families(self) -> list[Metric]:
        """Every number as it is now."""
        return [*self.registry.collect()]


def exposition(families: Iterable[Metric]) -> bytes:
    """The text a Prometheus server scrapes."""
    return generate_latest(cast(CollectorRegistry, _Collected(families)))


class _Collected:
    """What `generate_latest` asks of a registry."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families
