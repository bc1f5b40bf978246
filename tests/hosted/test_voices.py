"""Voices on other machines as the settings declare them."""

from __future__ import annotations

import pytest

from vivavoce.hosted.addresses import ROUTER
from vivavoce.hosted.voices import declared_voices


def test_each_kind_is_read() -> None:
    mms, own, desk = declared_voices(
        (
            "mms=huggingface facebook/mms-tts-eng language=en",
            "own=huggingface https://abc.endpoints.huggingface.cloud/",
            "desk = openai http://10.0.0.5:7860/v1 voice=mika model=tts-1 language=en+zh",
        ),
        {"router.huggingface.co": "hf_x", "10.0.0.5:7860": "key"},
    )
    assert (mms.kind, mms.target.url, mms.token) == ("huggingface", f"{ROUTER}/models/facebook/mms-tts-eng", "hf_x")
    assert (own.target.url, own.token) == ("https://abc.endpoints.huggingface.cloud", None)
    assert desk.target.url == "http://10.0.0.5:7860/v1/audio/speech"
    assert (desk.voice, desk.model, desk.token, desk.info.languages) == ("mika", "tts-1", "key", ("en", "zh"))
    assert desk.info.id == "desk"
    assert "key" not in repr(desk)


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "name",
        "Name=openai http://x/v1",
        "../x=openai http://x/v1",
        "x=midi http://x/v1",
        "x=openai",
        "x=openai ftp://x/v1",
        "x=openai http://user:pass@x/v1",
        "x=openai http://x:99999/v1",
        "x=openai http:///v1",
        "x=openai http://x/v1 color=red",
        "x=openai http://x/v1 language=english",
        "x=huggingface a/b/c",
    ],
)
def test_what_is_written_wrongly_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        declared_voices((entry,), {})


def test_names_are_unique() -> None:
    with pytest.raises(ValueError, match="share a name"):
        declared_voices(("x=huggingface a/b", "x=huggingface a/c"), {})
