"""A process that is driven by lines of JSON: what the side-by-side benchmark measures runs in one of these each.

A question is `{"do": name, ...}`, its answer one line. Whatever the code under test prints goes to stderr.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class PeerProcess:
    """One running script; use it as a context manager."""

    def __init__(self, script: str, **environment: str) -> None:
        paths = os.pathsep.join(str(ROOT / folder) for folder in ("tests", "benchmarks"))
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT / "benchmarks" / script)],
            env={**os.environ, "PYTHONPATH": paths, "PYTHONWARNINGS": "ignore", **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if not os.environ.get("VERBOSE") else None,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> PeerProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """One question, one answer; raises what the other side says went wrong."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "the process died; VERBOSE=1 shows why"}
        if "error" in answer:
            raise RuntimeError(f"{do}: {answer['error']}")
        return answer


def answer_questions(answers: Mapping[str, Callable[..., dict[str, Any]]]) -> None:
    """The other side: answer until the questions end."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not look like an answer
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = answers[question.pop("do")](**question)
        except Exception as error:
            answer = {"error": repr(error)}
        print(json.dumps(answer), file=out, flush=True)


def memory_mib() -> dict[str, Any]:
    """What this process holds: all resident pages, and those that are its own (mapped files can be dropped)."""
    facts = dict(line.split(":", 1) for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:])
    return {
        "resident": int(facts["Pss"].split()[0]) // 1024,
        "own": int(facts["Pss_Anon"].split()[0]) // 1024,
    }
