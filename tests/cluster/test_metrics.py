"""Any Door tells what all replicas have counted."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import numpy as np
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from ray_cluster import RayCluster
from recordings import wav
from vivavoce.metrics import Metrics

pytestmark = pytest.mark.timeout(300)  # replicas take their time to start


def summed(families: Mapping[str, Metric], family: str, sample: str, kind: str) -> float:
    """Over all replicas of a kind."""
    samples = [each for each in families[family].samples if each.name == sample]
    return sum(each.value for each in samples if each.labels["replica"].startswith(kind))


async def test_the_page_of_a_door_has_the_numbers_of_all_replicas(cluster: RayCluster) -> None:
    cluster.deploy(2, doors=2)
    sound = np.full(32_000, 0.3, np.float32)
    async with httpx.AsyncClient(base_url=cluster.url, timeout=60) as client:

        async def page() -> dict[str, Metric]:
            text = (await client.get("/metrics")).text
            return {family.name: family for family in text_string_to_metric_families(text)}

        before = await page()
        for _ in range(2):
            answer = await client.post("/v1/audio/speech", json={"input": "Hello there.", "response_format": "pcm"})
            assert answer.status_code == 200
        heard = await client.post("/v1/audio/transcriptions", files={"file": ("a.wav", wav(sound, 16_000))})
        assert heard.status_code == 200
        after = await page()
    assert {name for name in after if not name.endswith("_created")} == {each.name for each in Metrics().families()}
    replicas = {sample.labels["replica"] for family in after.values() for sample in family.samples}
    assert sorted(name.partition("-")[0] for name in replicas) == ["Door", "Door", "Ear", "Mouth", "Mouth"]

    def grown(family: str, sample: str, kind: str) -> float:
        return summed(after, family, sample, kind) - summed(before, family, sample, kind)

    made = grown("voice_audio_seconds", "voice_audio_seconds_total", "Mouth")
    assert made == pytest.approx(len(answer.content) / 48_000 * 2)
    assert grown("voice_audio_seconds", "voice_audio_seconds_total", "Door") == pytest.approx(made)
    assert grown("voice_engine_rtf", "voice_engine_rtf_count", "Mouth") > 0
    assert grown("voice_heard_seconds", "voice_heard_seconds_total", "Door") == pytest.approx(2.0)
    for kind in ("Mouth", "Ear"):
        shares = [s.value for s in after["voice_rt_capacity_ratio"].samples if s.labels["replica"].startswith(kind)]
        assert shares == [0.0] * (2 if kind == "Mouth" else 1)  # these replicas admit without measuring
