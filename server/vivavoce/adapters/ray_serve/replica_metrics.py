"""The numbers of all replicas as one page: named as on one machine, each with the replica that counted it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prometheus_client import Metric

LABEL = "replica"


@dataclass(frozen=True, slots=True)
class Counted:
    """The values of one replica's metrics at one moment.

    Attributes:
        replica: kind and number, as "Mouth-x2k4".
    """

    replica: str
    families: Sequence[Metric]


def merged(pages: Iterable[Counted]) -> list[Metric]:
    """Each family once, with the samples of all who count it."""
    found: dict[str, Metric] = {}
    for page in pages:
        for family in page.families:
            whole = found.setdefault(family.name, Metric(family.name, family.documentation, family.type, family.unit))
            whole.samples += [
                sample._replace(labels={**sample.labels, LABEL: page.replica}) for sample in family.samples
            ]
    return [*found.values()]
