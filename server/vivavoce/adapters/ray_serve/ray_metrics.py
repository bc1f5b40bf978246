"""The numbers of every replica, asked for when a Door's `/metrics` is: whichever Door answers, they are the same."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Final

from prometheus_client import Metric
from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException

from vivavoce.adapters.ray_serve.replica_metrics import Counted, merged
from vivavoce.metrics import Metrics

PATIENCE_S: Final = 2.0  # a replica that takes longer is left out this time

logger = logging.getLogger(__name__)


def counted_here(metrics: Metrics) -> Counted:
    """What this replica has counted."""
    here = serve.get_replica_context()
    return Counted(f"{here.deployment}-{here.replica_tag}", metrics.families())


async def counted_everywhere(deployments: Iterable[str]) -> list[Metric]:
    """What all replicas of this one's application have counted; those that are lost just now are left out."""
    here = serve.get_replica_context()
    pages = await asyncio.gather(*(_counted(name, here.app_name) for name in deployments))
    return merged(sorted((each for some in pages for each in some), key=lambda page: page.replica))


async def _counted(deployment: str, application: str) -> list[Counted]:
    try:
        handle = serve.get_deployment_handle(deployment, application)
        async with asyncio.timeout(PATIENCE_S):
            answers: list[Any] = await handle.broadcast("counted").results_async(return_exceptions=True)
    except (RayError, RayServeException, TimeoutError) as error:  # there is none, or none that answers
        logger.debug("no %s tells its numbers: %s", deployment, type(error).__name__)
        return []
    return [answer for answer in answers if isinstance(answer, Counted)]
