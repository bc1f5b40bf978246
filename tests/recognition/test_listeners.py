"""Who hears, when several could."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from vivavoce.engines.recognizer import RecognizerInfo
from vivavoce.errors import UnknownModel
from vivavoce.models.catalogue import means_default, resolve
from vivavoce.recognition.listener import HearingRequest, ResolvedModel
from vivavoce.recognition.listeners import Listeners


class Named:
    """A listener that only has names."""

    def __init__(self, engine: str, *names: str, problem: str | None = None) -> None:
        self.infos = [RecognizerInfo(name, ("en",), engine, problem=problem) for name in names]
        self.loaded: list[str] = []
        self.asked: list[HearingRequest] = []
        self.chosen_in: list[int] = []

    def models(self) -> list[RecognizerInfo]:
        return self.infos

    def choose(self, model: str | None = None) -> ResolvedModel:
        self.chosen_in.append(threading.get_ident())
        by_name = {info.id: info for info in self.infos}
        return ResolvedModel(by_name[resolve(model, by_name)])

    async def load_model(self, model_id: str, progress: object = None) -> None:
        self.loaded.append(model_id)

    def listen(self, request: HearingRequest, place: object = None) -> str:
        self.asked.append(request)
        return self.infos[0].engine


def listeners(
    here: Sequence[str], there: Sequence[str], default: str | None = None, problem: str | None = None
) -> Listeners:
    near, far = Named("whisper", *here), Named("hosted", *there, problem=problem)
    return Listeners(near, far, means_default=means_default, default=default)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("here", "there", "default", "asked", "engine"),
    [
        (["whisper-base"], ["desk"], None, "desk", "hosted"),
        (["whisper-base"], ["desk"], None, " Desk ", "hosted"),
        (["whisper-base"], ["desk"], None, None, "whisper"),
        (["whisper-base"], ["desk"], None, "whisper-1", "whisper"),
        (["whisper-base"], ["desk"], "desk", "whisper-1", "hosted"),
        (["whisper-base"], ["desk"], "desk", "whisper-base", "whisper"),
        (["whisper-base"], ["whisper-base"], None, "whisper-base", "whisper"),
        ([], ["desk"], None, None, "hosted"),
        ([], ["desk"], None, "gpt-4o-transcribe", "hosted"),
    ],
)
def test_who_hears(here: list[str], there: list[str], default: str | None, asked: str | None, engine: str) -> None:
    both = listeners(here, there, default)
    chosen = both.choose(asked)
    assert chosen.info.engine == engine
    assert both.listen(HearingRequest(model=chosen)) == engine  # type: ignore[comparison-overlap]


def test_unknown_names_and_ears_that_cannot_hear() -> None:
    with pytest.raises(UnknownModel):
        listeners(["whisper-base"], ["desk"]).choose("whisper-tiny")
    with pytest.raises(UnknownModel):
        listeners([], ["desk"], problem="switched off").choose(None)


def test_all_are_listed_once() -> None:
    assert [info.id for info in listeners(["a", "b"], ["b", "c"]).models()] == ["a", "b", "c"]


async def test_only_what_is_here_is_loaded() -> None:
    loop = threading.get_ident()
    near, far = Named("whisper", "whisper-base"), Named("hosted", "desk")
    both = Listeners(near, far, means_default=means_default)  # type: ignore[arg-type]
    await both.load_model("desk")
    await both.load_model("whisper-base")
    assert near.loaded == ["whisper-base"]
    assert loop not in near.chosen_in  # it may look at the disk
