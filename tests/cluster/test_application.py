"""What is given to Ray Serve: versions that say whether replicas may stay, and bounds. No Ray runs here."""

from __future__ import annotations

from typing import Any

import pytest
from ray.serve import Deployment

from vivavoce.adapters.ray_serve.application import application
from vivavoce.adapters.ray_serve.ray_calls import DOOR, EAR, MOUTH
from vivavoce.config import Config
from vivavoce.recognition.hearing import SEGMENTS_OF_A_FILE

OPTIONS = Deployment.options


def deployed(monkeypatch: pytest.MonkeyPatch, *, refuses_versions: bool = False, **settings: Any) -> dict[str, Any]:
    """The deployments of an application, by name.

    Args:
        refuses_versions: as of a Ray that has no option for it.
    """
    found: dict[str, Any] = {}

    def options(self: Deployment, *args: Any, **given: Any) -> Deployment:
        if refuses_versions and given.pop("_internal", False):
            raise TypeError("options() got an unexpected keyword argument '_internal'")
        made: Deployment = OPTIONS(self, *args, **given)
        found[made.name] = made
        return made

    monkeypatch.setattr(Deployment, "options", options)
    application(Config(**settings))
    return found


def versions(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> dict[str, Any]:
    return {name: made.version for name, made in deployed(monkeypatch, **settings).items()}


def test_replicas_stay_where_only_their_number_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red where this Ray takes no version any more: then docs/scaling.md promises too much."""
    first = versions(monkeypatch, mouths=1, ears=1)
    assert first.keys() == {DOOR, MOUTH, EAR}
    assert None not in first.values()
    assert versions(monkeypatch, mouths=3, mouths_max=5, ears=2, doors=2) == first
    other = versions(monkeypatch, mouths=1, ears=1, log_level="debug")
    assert all(other[name] != first[name] for name in first)


def test_a_ray_that_takes_no_versions_runs_the_application_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    made = deployed(monkeypatch, refuses_versions=True, mouths=2, ears=1)
    assert made.keys() == {DOOR, MOUTH, EAR}
    assert {each.version for each in made.values()} == {None}
    assert made[MOUTH].num_replicas == 2


def test_an_ear_takes_every_call_of_those_who_have_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Serve held back would wait without a deadline, speech behind recordings."""
    ear = deployed(monkeypatch, ears=1, max_streams=10)[EAR]
    assert ear.max_ongoing_requests >= 10 * (2 + SEGMENTS_OF_A_FILE)
