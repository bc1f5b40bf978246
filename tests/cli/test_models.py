"""The command `vivavoce models` against a stand-in of the hub."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub_stand_in import COMMIT, REPOSITORY, HubStandIn
from vivavoce.cli.main import main
from vivavoce.models.catalogue import CATALOGUE
from whisper_original import safetensors, write_small


class Shell:
    """Runs the command and keeps what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *arguments: str) -> int:
        with pytest.raises(SystemExit) as left:
            main(["models", *arguments])
        self.out, self.err = self._capsys.readouterr()
        return int(left.value.code or 0)


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIVAVOCE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("VIVAVOCE_CACHE_DIR", str(tmp_path / "cache"))
    return Shell(capsys)


def test_the_list(models: Shell) -> None:
    assert models("list") == 0
    lines = models.out.splitlines()
    assert lines[1].split() == [
        "whisper-base",
        "many",
        "141",
        "MiB",
        "MIT",
        *["in", "a", "package", "that", "states", "MIT"],
    ]
    assert all(any(line.startswith(f"{name} ") for line in lines) for name in CATALOGUE)
    assert "vivavoce models pull whisper-large-v3" in models.out
    assert models("list", "--json") == 0
    listed = {model["id"]: model for model in json.loads(models.out)}
    assert set(CATALOGUE) <= set(listed)
    assert listed["whisper-base"]["here"]
    assert set(listed["whisper-base"]["packages"].values()) == {"MIT"}
    assert listed["whisper-medium"]["revision"] == CATALOGUE["whisper-medium"].revision


def test_pull_list_remove(models: Shell, tmp_path: Path) -> None:
    """In a process of its own: huggingface_hub reads HF_ENDPOINT when it is imported."""
    tensors = write_small(tmp_path / "original")
    files = {path.name: path.read_bytes() for path in (tmp_path / "original").iterdir()}
    with HubStandIn(files | {"model.safetensors": safetensors(tensors)}) as hub:

        def pull() -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-m", "vivavoce", "models", "pull", REPOSITORY, "--revision", COMMIT],
                env={**os.environ, "HF_ENDPOINT": hub.endpoint},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )

        first, second = pull(), pull()
    assert first.returncode == 0, first.stderr
    assert f"{REPOSITORY} (see its page) is in " in first.stdout
    assert "100%" in first.stderr
    assert "is here and right" in second.stdout
    assert models("list") == 0
    assert any(line.split()[0] == REPOSITORY and line.endswith("ready") for line in models.out.splitlines())
    assert models("remove", REPOSITORY) == 0
    assert list((tmp_path / "data" / "models").glob("[!.]*")) == []


def test_what_cannot_work(models: Shell) -> None:
    assert models("pull", "whisper-nine") == 3
    assert "there is no model 'whisper-nine'" in models.err
    assert models("remove", "whisper-small") == 3
    assert "unknown model" in models.err
    assert models("remove", "whisper-base") == 3
    assert "installed package" in models.err
