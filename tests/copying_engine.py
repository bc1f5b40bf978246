"""The fake engine with a voice that copies: what it is to sound like tells in the level of its sound."""

from __future__ import annotations

import dataclasses
import threading
import weakref

import numpy as np

from fake_engine import FakeEngine, FakeStream, FakeVoice
from vivavoce.engines.speech import SpeechOptions, SpokenClip, Voice, VoiceInfo
from vivavoce.text.normalize import SpokenText


class Learned:
    """What the engine knows of a recording: how loud it is."""

    def __init__(self, level: float) -> None:
        self.level = level


class CopyingEngine(FakeEngine):
    """The voice "alpha" speaks as loudly as any recording; "beta" only as itself.

    Attributes:
        studied: the recordings, with one sample of each.
        learned: what was made of them, for as long as somebody keeps it.
        free: a study lasts until it is set.
        fails: raised by a study.
    """

    def __init__(self) -> None:
        super().__init__(("alpha", "beta"))
        self.studied: list[SpokenClip] = []
        self.learned: list[weakref.ref[Learned]] = []
        self.fails: Exception | None = None
        self.free = threading.Event()
        self.free.set()

    def voices(self) -> list[VoiceInfo]:
        return [dataclasses.replace(info, copies=info.id == "alpha") for info in super().voices()]

    def study(self, voice: Voice, clip: SpokenClip) -> object:
        self.studied.append(dataclasses.replace(clip, samples=clip.samples[:1].copy()))
        assert self.free.wait(30)
        if self.fails is not None:
            raise self.fails
        learned = Learned(float(np.max(np.abs(clip.samples))))
        self.learned.append(weakref.ref(learned))
        return learned

    def open(self, sentence: SpokenText, voice: Voice, options: SpeechOptions) -> FakeStream:
        assert isinstance(voice, FakeVoice)
        if isinstance(options.like, Learned):
            voice = dataclasses.replace(voice, level=options.like.level)
        return super().open(sentence, voice, options)
