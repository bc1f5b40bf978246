"""A benchmark from end to end: its own server, a table, one JSON object as the last line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "first_audio.py"


def test_starts_a_server_and_ends_with_json(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--requests", "2", "--", "--engines", "embedded"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert (result["benchmark"], result["requests"]) == ("first_audio", 2)
    arrives, audible, heard = (row["p50"] for row in result["rows"])
    assert 0 < arrives <= audible <= heard
    assert result["hardware"]["cores"] > 0
