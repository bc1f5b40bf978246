"""The Dockerfile, by reading: what it promises, and that it agrees with the settings and the tree it is built from."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from vivavoce.config import FIELDS
from vivavoce.settings import load
from vivavoce.voices.store import open_store

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
INSTRUCTIONS = [
    line.split(maxsplit=1)
    for line in re.sub(r"\\\n\s*", " ", DOCKERFILE).splitlines()
    if line and not line.startswith("#")
]

HADOLINT = shutil.which("hadolint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")


def arguments(instruction: str) -> list[str]:
    """The arguments of every line that begins with `instruction`."""
    return [rest for name, rest in INSTRUCTIONS if name == instruction]


def test_builds_in_one_stage_and_runs_in_another() -> None:
    assert len(arguments("FROM")) == 2
    assert all(stage.startswith("${PYTHON_IMAGE}") for stage in arguments("FROM"))
    assert arguments("ARG") == ["PYTHON_IMAGE=python:3.12-slim-bookworm"]


def test_nothing_is_installed_without_its_hash() -> None:
    installs = [line for line in arguments("RUN") if "pip install" in line]
    assert len(installs) == 2
    assert "--require-hashes -r requirements.lock" in installs[0]
    assert "--no-deps --no-build-isolation" in installs[1]


def test_runs_as_an_ordinary_user() -> None:
    assert arguments("USER") == ["10001"]


def test_starts_the_server_with_the_command_that_exists() -> None:
    assert json.loads(arguments("ENTRYPOINT")[0]) == ["vivavoce"]
    assert json.loads(arguments("CMD")[0]) == ["serve"]


def test_the_health_check_is_valid_and_asks_livez() -> None:
    command = json.loads(arguments("HEALTHCHECK")[0].partition(" CMD ")[2])
    assert command[:2] == ["python", "-c"]
    compile(command[2], "healthcheck", "exec")
    assert "/livez" in command[2]


def test_every_variable_is_a_setting() -> None:
    named = set(re.findall(r"VIVAVOCE_([A-Z_]+)", DOCKERFILE))
    assert {"HOST", "PORT", "VOICES", "API_KEYS"} <= named
    assert {name.lower() for name in named} <= set(FIELDS)


def test_its_environment_reads_as_settings() -> None:
    pairs = dict(pair.split("=", 1) for line in arguments("ENV") for pair in line.split())
    loaded = load(file=None, environment={**pairs, "VIVAVOCE_ALLOW_ANONYMOUS": "true"})
    assert (loaded.server.host, loaded.server.port, loaded.voices.voices) == ("0.0.0.0", 7860, (Path("/voices"),))
    assert arguments("EXPOSE") == ["7860"]


def test_torch_is_not_installed() -> None:
    assert [extra for line in arguments("RUN") for extra in re.findall(r"\.\[([^]]*)\]", line)] == [
        "genie,korean,listen"
    ]


def test_everything_it_copies_is_in_the_build_context() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    kept = [rule[1:] for rule in rules if rule.startswith("!")]
    copied = [part for line in arguments("COPY") if "--from" not in line for part in line.split()[:-1]]
    assert copied
    for source in copied:
        assert (ROOT / source).exists()
        assert any(fnmatch(source, rule) or source.startswith(rule + "/") for rule in kept), source


@pytest.mark.skipif(HADOLINT is None, reason="hadolint publishes no binary for this machine")
def test_hadolint_finds_nothing() -> None:
    done = subprocess.run([str(HADOLINT), ROOT / "Dockerfile"], capture_output=True, text=True, timeout=60)
    assert done.stdout == ""
    assert done.returncode == 0


def test_a_container_as_the_guide_starts_it_takes_new_voices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its folder of voices is mounted read-only: what is added goes to a volume that is kept."""
    guide = (ROOT / "docs/deploying.md").read_text()
    started = re.search(r"docker run -d.*?\n```", guide, re.DOTALL)
    assert started is not None
    mounts = re.findall(r"-v \"?[^:\s]+?:(/\w+)(:ro)?[\"\s]", started[0])
    read_only = [target for target, mode in mounts if mode]
    kept = [tmp_path / target[1:] for target, mode in mounts if not mode]
    assert read_only
    assert kept
    environment = dict(re.findall(r"(VIVAVOCE_\w+)=(/\S+)", arguments("ENV")[-1]))
    for target, _ in mounts:
        (tmp_path / target[1:]).mkdir()
    can = os.access
    locked = [tmp_path / target[1:] for target in read_only]
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) not in locked and can(path, mode))
    monkeypatch.chdir(tmp_path / "data")
    config = load(environment={name: str(tmp_path / value[1:]) for name, value in environment.items()})
    home = open_store(config.voices).home
    assert any(home.is_relative_to(volume) for volume in kept)
