"""Several speakers as one: whose voice a name is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from vivavoce.engines.speech import VoiceInfo
from vivavoce.errors import UnknownVoice
from vivavoce.synthesis.speaker import ResolvedVoice, SpeechRequest
from vivavoce.synthesis.speakers import Speakers


class Named:
    """A speaker that says who it is."""

    def __init__(self, engine: str, *ids: str, default: str | None = None) -> None:
        self.infos = {name: VoiceInfo(name, name, ("en",), engine, 24_000) for name in ids}
        self.default = default

    def voices(self) -> list[VoiceInfo]:
        return [*self.infos.values()]

    def choose(self, voice: str | None = None, model: str | None = None) -> ResolvedVoice:
        for name in (voice, model, self.default):
            if name in self.infos:
                return ResolvedVoice(self.infos[name])
        raise UnknownVoice(voice or "", self.infos)

    @asynccontextmanager
    async def stream(self, request: SpeechRequest, place: Any = None) -> AsyncIterator[Any]:
        yield self


HERE, THERE = Named("genie", "mika", "both", default="mika"), Named("hosted", "desk", "both")
ALL = Speakers(HERE, THERE)


def test_each_name_is_listed_once() -> None:
    assert [(info.id, info.engine) for info in ALL.voices()] == [
        ("mika", "genie"),
        ("both", "genie"),
        ("desk", "hosted"),
    ]


@pytest.mark.parametrize(
    ("voice", "model", "chosen"),
    [
        ("mika", None, "genie"),
        ("desk", None, "hosted"),
        ("Desk", "tts-1", "hosted"),
        ("alloy", "desk", "hosted"),
        ("mika", "desk", "genie"),
        ("both", None, "genie"),
        (None, "desk", "hosted"),
        (None, None, "genie"),
        ("nobody", None, "genie"),
    ],
)
async def test_whose_voice_a_name_is(voice: str | None, model: str | None, chosen: str) -> None:
    resolved = ALL.choose(voice, model)
    assert resolved.info.engine == chosen
    async with ALL.stream(SpeechRequest(voice=resolved)) as spoken:
        assert spoken is (THERE if chosen == "hosted" else HERE)  # type: ignore[comparison-overlap]
