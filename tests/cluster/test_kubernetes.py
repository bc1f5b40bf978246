"""The manifests are what Kubernetes, Ray and the settings take, and say what the guide promises of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from ray._common.utils import import_attr
from ray.serve.schema import ServeDeploySchema

from vivavoce.adapters.ray_serve.application import build
from vivavoce.config import FIELDS
from vivavoce.errors import ConfigError

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
VERSION = kubernetes_validate.latest_version()


def documents(name: str) -> list[dict[str, Any]]:
    return [*yaml.safe_load_all((FOLDER / name).read_text())]


def of_kind(name: str, kind: str) -> dict[str, Any]:
    return next(each for each in documents(name) if each["kind"] == kind)


def pods() -> list[tuple[str, dict[str, Any]]]:
    """Every pod template of the folder."""
    cluster = of_kind("rayservice.yaml", "RayService")["spec"]["rayClusterConfig"]
    return [
        ("server", of_kind("server.yaml", "Deployment")["spec"]["template"]),
        ("head", cluster["headGroupSpec"]["template"]),
        *((group["groupName"], group["template"]) for group in cluster["workerGroupSpecs"]),
    ]


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.yaml")))
def test_every_object_fits_the_schema_of_kubernetes(name: str) -> None:
    checked = 0
    for document in documents(name):
        if document["kind"] != "RayService":  # a custom resource; its parts are looked at below
            kubernetes_validate.validate(document, VERSION, strict=True)
            checked += 1
    assert checked


@pytest.mark.parametrize(("name", "template"), pods())
def test_pods_fit_the_schema_and_run_without_privileges(name: str, template: dict[str, Any]) -> None:
    pod = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": name}, "template": template}
    kubernetes_validate.validate(pod, VERSION, strict=True)
    spec = template["spec"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["runAsUser"] > 0
    for container in spec["containers"]:
        assert not container["securityContext"]["allowPrivilegeEscalation"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {"cpu", "memory"} <= container["resources"]["limits"].keys()
        for variable in container["env"]:
            name = variable["name"].removeprefix("VIVAVOCE_").lower()
            assert not variable["name"].startswith("VIVAVOCE_") or name in FIELDS, variable["name"]


def test_the_schema_has_teeth() -> None:
    broken = of_kind("server.yaml", "Deployment")
    broken["spec"]["template"]["spec"]["containers"][0]["livenessprobe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, VERSION, strict=True)


def test_without_keys_the_application_is_not_built() -> None:
    """Serve may listen anywhere."""
    with pytest.raises(ConfigError):
        build({"mouths": "2"})
    with pytest.raises(ConfigError):
        build({"mouth": "2", "allow_anonymous": "true"})
    assert build({"mouths": "2", "allow_anonymous": "true"})


def test_serve_takes_the_configuration_and_builds_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVAVOCE_API_KEYS", "a-key-for-this-test")
    spec = of_kind("rayservice.yaml", "RayService")["spec"]
    config = ServeDeploySchema.model_validate(yaml.safe_load(spec["serveConfigV2"]))
    (application,) = config.applications
    assert import_attr(application.import_path) is build
    built = build(application.args)
    (group,) = spec["rayClusterConfig"]["workerGroupSpecs"]
    told = {name: int(value) for name, value in application.args.items()}
    room = int(group["rayStartParams"]["num-cpus"])
    assert room >= max(told["mouth_cores"], told["ear_cores"]) + 1, "one that computes and a Door fit on a node"
    assert group["minReplicas"] >= told["mouths"] + told["ears"]
    assert group["maxReplicas"] >= told["mouths_max"] + told["ears_max"]
    assert built is not None


def test_what_scales_is_a_metric_of_the_server() -> None:
    from vivavoce.metrics import Metrics, exposition

    (metric,) = of_kind("server.yaml", "HorizontalPodAutoscaler")["spec"]["metrics"]
    assert metric["pods"]["metric"]["name"].encode() in exposition(Metrics().families())


def test_ray_is_reached_by_its_own_pods_alone() -> None:
    ingress = of_kind("rayservice.yaml", "NetworkPolicy")["spec"]["ingress"]
    open_to_all = [rule for rule in ingress if "from" not in rule]
    assert [port["port"] for rule in open_to_all for port in rule["ports"]] == [8000]
