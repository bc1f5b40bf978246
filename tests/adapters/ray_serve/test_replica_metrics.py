"""The numbers of several replicas are one page that Prometheus can read."""

from __future__ import annotations

import pickle

from prometheus_client.parser import text_string_to_metric_families

from vivavoce.adapters.ray_serve.replica_metrics import Counted, merged
from vivavoce.metrics import Metrics, exposition


def test_each_family_once_with_who_counted() -> None:
    pages = []
    for number in (1, 2):
        metrics = Metrics()
        metrics.requests.labels("speech", "completed", "").inc(number)
        metrics.ttfa.labels("http", "genie").observe(0.2)
        pages.append(pickle.loads(pickle.dumps(Counted(f"Mouth-{number}", metrics.families()))))  # as it is sent
    text = exposition(merged(pages)).decode()
    helps = [line for line in text.splitlines() if line.startswith("# HELP")]
    assert len(helps) == len(set(helps))
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert {name for name in families if not name.endswith("_created")} == {each.name for each in Metrics().families()}
    counted = [sample for sample in families["voice_requests"].samples if sample.name == "voice_requests_total"]
    assert {sample.labels["replica"]: sample.value for sample in counted} == {"Mouth-1": 1.0, "Mouth-2": 2.0}
    assert all(sample.labels["route"] == "speech" for sample in counted)
    assert {s.labels["replica"] for s in families["voice_ttfa_seconds"].samples} == {"Mouth-1", "Mouth-2"}
