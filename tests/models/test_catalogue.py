"""Names: each means one model, and one that means none is told what there is."""

from __future__ import annotations

import re

import pytest

from vivavoce.errors import UnknownModel
from vivavoce.models.catalogue import CATALOGUE, DEFAULT, OPENAI_NAMES, resolve

HERE = ["whisper-base", "whisper-tiny.en", "whisper-large-v3-turbo", "somebody/whisper-tuned"]


def test_every_model_is_pinned_and_licensed() -> None:
    for name, model in CATALOGUE.items():
        assert name == model.name
        assert re.fullmatch(r"[0-9a-f]{40}", model.revision)
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", model.repository)
        assert model.mib > 0
        assert model.licence in ("MIT", "Apache-2.0")
    assert DEFAULT in CATALOGUE
    assert len({(model.repository, model.revision) for model in CATALOGUE.values()}) == len(CATALOGUE)


@pytest.mark.parametrize("asked", [None, "", "  ", "auto", "WHISPER-1", "openai/whisper-1", *OPENAI_NAMES])
def test_openais_names_mean_the_default(asked: str | None) -> None:
    assert resolve(asked, HERE) == "whisper-base"
    assert resolve(asked, ["whisper-tiny.en"]) == "whisper-tiny.en", "where there is only another"


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("whisper-base", "whisper-base"),
        ("Whisper-Base", "whisper-base"),
        ("base", "whisper-base"),
        ("tiny.en", "whisper-tiny.en"),
        ("openai/whisper-base", "whisper-base"),
        ("Systran/faster-whisper-base", "whisper-base"),
        ("systran/faster-whisper-tiny.en", "whisper-tiny.en"),
        ("large-v3-turbo", "whisper-large-v3-turbo"),
        ("turbo", "whisper-large-v3-turbo"),
        ("mobiuslabsgmbh/faster-whisper-large-v3-turbo", "whisper-large-v3-turbo"),
        ("somebody/whisper-tuned", "somebody/whisper-tuned"),
        ("Somebody/Whisper-Tuned", "somebody/whisper-tuned"),
    ],
)
def test_a_name_means_itself(asked: str, meant: str) -> None:
    assert resolve(asked, HERE) == meant


@pytest.mark.parametrize("asked", ["whisper-nine", "../../etc/passwd", "a/b", "whisper-base\0", "x" * 5000])
def test_unknown(asked: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        resolve(asked, HERE)
    message = caught.value.message
    assert "whisper-base" in message
    assert "whisper-1" in message
    assert "pull" not in message
    assert len(message) < 500


@pytest.mark.parametrize(
    "asked", ["whisper-medium", "medium", "openai/whisper-medium", "Systran/faster-whisper-medium"]
)
def test_one_that_could_be_here(asked: str) -> None:
    with pytest.raises(UnknownModel, match="`vivavoce models pull whisper-medium` brings it"):
        resolve(asked, HERE)
    with pytest.raises(UnknownModel, match="`vivavoce models pull Belle-whisper-large-v3-zh` brings it"):
        resolve("belle-whisper-large-v3-zh", HERE)


def test_nothing_is_here() -> None:
    with pytest.raises(UnknownModel, match="`vivavoce models pull whisper-base` brings it"):
        resolve("whisper-1", [])
