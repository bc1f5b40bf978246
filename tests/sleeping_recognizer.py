"""A fake recognizer whose steps take their time without taking a core; its second model translates."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

from fake_recognizer import FakeRecognizer
from vivavoce.engines.recognizer import Heard, HearingOptions, HearingStream, RecognizerInfo, RecognizerModel

MODELS = ("whisper-base", "other")


class SleepingRecognizer(FakeRecognizer):
    """Words as of `FakeRecognizer`.

    Args:
        step_s: a step sleeps that long.
    """

    def __init__(self, step_s: float = 0.01) -> None:
        super().__init__(MODELS, missing=("absent",))
        self.step_s = step_s

    def models(self) -> list[RecognizerInfo]:
        return [dataclasses.replace(info, translates=info.id == "other") for info in super().models()]

    def check(self, model: RecognizerModel, options: HearingOptions) -> None:
        can = model.id == "other"
        super().check(model, dataclasses.replace(options, task="transcribe") if can else options)

    def step(self, streams: Sequence[HearingStream], *, threads: int) -> list[Heard | None]:
        time.sleep(self.step_s)
        return super().step(streams, threads=threads)
