"""`vivavoce cluster` and `vivavoce bench` on the command line."""

from __future__ import annotations

import importlib.util

import pytest

from vivavoce.cli.cluster import greeting
from vivavoce.cli.main import main
from vivavoce.config import ClusterSettings


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed: tests/cluster runs it")
def test_without_the_extra_the_command_says_how_to_get_it(
    capsys: pytest.CaptureFixture[str], logging_restored: None
) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["cluster", "--mouths", "2"])
    assert exit.value.code == 3
    assert "pip install 'vivavoce[cluster]'" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["cluster", "bench"])
def test_help_tells_flags_and_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main([command, "--help"])
    assert exit.value.code == 0
    shown = capsys.readouterr().out
    assert {"--mouth-listeners", "--ear-listeners", "--ears", "--ears-max"} <= set(shown.replace(",", " ").split())
    assert f"vivavoce {command}" in shown


def test_what_runs_is_told() -> None:
    told = greeting("http://here", ClusterSettings(doors=2, mouths=2, mouths_max=8))
    assert told.splitlines()[0] == "Viva Voce listens on http://here"
    assert [line.split(None, 1) for line in told.splitlines()[1:]] == [
        ["doors", "2"],
        ["mouths", "2 to 8"],
        ["ears", "1"],
    ]
    assert "the doors hear for themselves" in greeting("", ClusterSettings(ears=0))
