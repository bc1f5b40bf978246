"""The benchmarks' simulated player: when it starts, when it runs dry."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def load(name: str) -> Any:
    """Import a file of benchmarks/, which is no package."""
    spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", BENCHMARKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


player_module = load("player")
report = load("report")


def test_starts_once_its_buffer_is_filled() -> None:
    player = player_module.Player(prebuffer_s=0.08)
    player.receive(0.05, now_s=0.1)
    assert player.started_s is None
    player.receive(0.05, now_s=0.2)
    assert player.started_s == 0.2
    assert player.buffered_s(0.25) == pytest.approx(0.05)


def test_sound_in_time_is_no_underrun() -> None:
    player = player_module.Player()
    for piece in range(10):
        player.receive(0.5, now_s=0.1 + piece * 0.5)
    assert player.stalls_s == []


def test_each_silence_is_one_underrun_of_its_length() -> None:
    player = player_module.Player()
    player.receive(0.5, now_s=1.0)  # lasts until 1.5
    player.receive(0.5, now_s=1.7)  # 0.2 late, lasts until 2.2
    player.receive(0.5, now_s=2.1)  # in time, lasts until 2.7
    player.receive(0.5, now_s=3.0)  # 0.3 late
    assert player.stalls_s == pytest.approx([0.2, 0.3])
    assert player.dry_s == pytest.approx(3.5)


def test_the_end_of_the_speech_is_no_underrun() -> None:
    player = player_module.Player()
    player.receive(0.5, now_s=1.0)
    assert player.buffered_s(100.0) == 0.0
    assert player.stalls_s == []


def test_spread_names_the_middle_and_the_tail() -> None:
    assert report.spread([0.001 * value for value in range(101)], scale=1000) == {
        "p50": 50.0,
        "p95": 95.0,
        "max": 100.0,
    }
    assert report.spread([]) == {"p50": 0.0, "p95": 0.0, "max": 0.0}


def test_table_lines_up() -> None:
    table = report.format_table([{"level": 1, "ms": 1234.5}, {"level": 16, "ms": 0.1234}])
    assert table.splitlines() == ["level     ms", "-----  -----", "    1   1234", "   16  0.123"]


@pytest.mark.parametrize("name", ["first_audio", "real_time_factor", "concurrency"])
def test_every_benchmark_explains_itself(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    benchmark = load(name)
    with pytest.raises(SystemExit) as end:
        benchmark.main()
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert "--voice" in shown
    assert f"python benchmarks/{name}.py" in shown
