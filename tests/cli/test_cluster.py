"""`vivavoce cluster` and `vivavoce bench` on the command line."""

from __future__ import annotations

import importlib.util

import pytest

from vivavoce.cli.main import main


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
    assert "--mouth-listeners" in shown
    assert f"vivavoce {command}" in shown
