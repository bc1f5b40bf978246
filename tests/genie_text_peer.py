"""genie_tts' own front ends in a process of their own, to compare with.

Run as a script it answers one JSON line for each JSON line it is given: {"language", "text"} -> {"ids"} or {"error"}.
Its English front end tags every word to tell four homographs apart, with data that no package ships; here every word
is a noun, and those four are left out of comparisons.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any


class GeniePeer:
    """A running peer; use it as a context manager."""

    def __init__(self, data: Path) -> None:
        environment = {
            **os.environ,
            "GENIE_DATA_DIR": str(data),
            "PYTHONWARNINGS": "ignore",
            "PYTHONIOENCODING": "utf-8",
        }
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env=environment,
            text=True,
            encoding="utf-8",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> GeniePeer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def phones(self, language: str, texts: Sequence[str]) -> list[list[int] | str]:
        """For each text its phoneme ids, or the name of the exception genie_tts raised."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        answers: list[list[int] | str] = []
        for text in texts:
            self._process.stdin.write(json.dumps({"language": language, "text": text}) + "\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
            answers.append(answer.get("ids", answer.get("error")))
        return answers


def main() -> None:
    """Answer until the input ends."""
    import nltk  # type: ignore[import-untyped]

    nltk.pos_tag = lambda words: [(word, "NN") for word in words]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what genie_tts prints is no answer
    from genie_tts.G2P.Chinese.ChineseG2P import chinese_to_phones
    from genie_tts.G2P.English.EnglishG2P import english_to_phones
    from genie_tts.G2P.Japanese.JapaneseG2P import japanese_to_phones

    front_ends: dict[str, Any] = {
        "zh": lambda text: chinese_to_phones(text)[2],
        "en": english_to_phones,
        "ja": japanese_to_phones,
    }
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer: dict[str, Any] = {"ids": front_ends[asked["language"]](asked["text"])}
        except Exception as error:
            answer = {"error": type(error).__name__}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
