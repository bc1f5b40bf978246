"""Who speaks: one answer for every pair of `voice` and `model`."""

from __future__ import annotations

import pytest

from vivavoce.engines.speech import VoiceInfo
from vivavoce.errors import UnknownModel, UnknownVoice
from vivavoce.synthesis.voice_choice import OPENAI_VOICES, VoiceNames, choose, default_of, is_openai_model, names_voice


def info(id: str, engine: str = "genie", problem: str | None = None) -> VoiceInfo:
    return VoiceInfo(id, id.title(), ("en",), engine, 32_000, references=("Normal", "Sad"), problem=problem)


VOICES = [info("broken", "embedded", "its files are missing"), info("alpha"), info("beta"), info("heart", "embedded")]
NAMES = VoiceNames({"echo": "beta/Sad", "onyx": "heart", "nova": "nobody"}, ("genie", "embedded"))


def chosen(voice: str | None, model: str | None) -> str:
    who = choose(VOICES, voice, model, default="alpha", names=NAMES)
    return who.info.id if who.reference is None else f"{who.info.id}/{who.reference}"


@pytest.mark.parametrize(
    ("voice", "model", "speaks"),
    [
        (None, None, "alpha"),
        ("", "", "alpha"),
        (" ", "tts-1", "alpha"),
        ("", "openai/tts-1", "alpha"),
        ("beta", "OpenAI/gpt-4o-mini-tts", "beta"),
        ("default", None, "alpha"),
        # a voice of ours wins
        ("beta", None, "beta"),
        ("beta", "tts-1", "beta"),
        ("beta", "heart", "beta"),
        ("beta", "embedded", "beta"),
        ("beta/sad", None, "beta/Sad"),
        # else the model that names one
        ("alloy", "beta", "beta"),
        ("echo", "beta", "beta"),
        (None, "beta/Sad", "beta/Sad"),
        ("whoever", "beta", "beta"),
        # else what the settings say
        ("echo", "tts-1", "beta/Sad"),
        ("onyx", None, "heart"),
        ("echo", "embedded", "beta/Sad"),
        # else an engine's first that can
        ("alloy", "embedded", "heart"),
        (None, "embedded", "heart"),
        (None, "genie", "alpha"),
        # in any case
        ("Beta", None, "beta"),
        (" ALLOY ", "TTS-1-HD", "alpha"),
        ("Echo", None, "beta/Sad"),
        ("alloy", "Beta", "beta"),
        (None, "Genie", "alpha"),
    ],
)
def test_who_speaks(voice: str | None, model: str | None, speaks: str) -> None:
    assert chosen(voice, model) == speaks


@pytest.mark.parametrize("voice", sorted(OPENAI_VOICES - {"echo", "onyx", "nova"}))
def test_openais_names_mean_the_default(voice: str) -> None:
    assert chosen(voice, "tts-1") == "alpha"


@pytest.mark.parametrize(
    "model",
    [
        *("tts-1", "tts-1-hd", "tts-1-1106", "tts-2", "gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-12-15", "gpt-5-tts"),
        *("gpt-audio", "gpt-audio-mini", "gpt-audio-1.5-2026-01-01", "GPT-4o-mini-TTS", "vivavoce"),
    ],
)
def test_models_of_openai_mean_whatever_speaks_here(model: str) -> None:
    assert chosen("alloy", model) == "alpha"


@pytest.mark.parametrize("model", ["gpt-9", "whisper-1", "tts", "tts-", "mygpt-4o-mini-tts", "gpt-4o", "../alpha"])
def test_other_models_are_refused_with_the_known_ones(model: str) -> None:
    with pytest.raises(UnknownModel, match=r"known: .*alpha.*beta.*tts-1"):
        chosen("alpha", model)
    assert not is_openai_model(model)


@pytest.mark.parametrize("voice", ["whoever", "beta/Angry", "../beta", "beta-", "nova"])
def test_unknown_voices_and_styles_are_refused(voice: str) -> None:
    with pytest.raises(UnknownVoice):
        chosen(voice, "tts-1")


def test_without_a_voice_nobody_is_the_default() -> None:
    assert default_of([info("x", problem="gone")], "x") is None
    assert choose([info("x", problem="gone")], default=None).info.problem == "gone", "the first one tells why"
    with pytest.raises(UnknownVoice):
        choose([], default=None)


def test_the_default_is_one_that_speaks() -> None:
    assert default_of(VOICES, "beta") == "beta"
    assert default_of(VOICES, "broken") == default_of(VOICES, "nobody") == default_of(VOICES, None) == "alpha"


def test_a_client_means_a_voice_by_its_own_name() -> None:
    assert names_voice(" Beta/Sad", ("genie",))
    assert not any(names_voice(model, ("genie",)) for model in ("tts-1", " TTS-1-HD", "Genie", "vivavoce", "", None))
