"""Who writes which language of what is spoken."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vivavoce.engines.recognizer import HearingOptions, RecognizerInfo
from vivavoce.errors import UnsupportedLanguage
from vivavoce.translation.plan import Plan, planned
from vivavoce.translation.translator import ANY, Pair

BASE = RecognizerInfo("base", ("en", "pt", "fr"), "fake", translates=True)
PLAIN = RecognizerInfo("plain", ("en", "pt", "fr"), "fake")
ENGLISH = RecognizerInfo("english", ("en",), "fake")


class Pairs:
    """A translator that has them."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self.name = "pairs"
        self._pairs = tuple(Pair(*pair) for pair in pairs)

    def pairs(self) -> tuple[Pair, ...]:
        return self._pairs

    async def translate(self, lines: Sequence[str], source: str, target: str) -> list[str]:
        raise NotImplementedError


PORTUGUESE = Pairs(("en", "pt"), ("pt", "en"))
CHAT = Pairs((ANY, ANY))


def plan(info: RecognizerInfo, target: str, *translators: Pairs, language: str | None = None) -> Plan:
    return planned(info, HearingOptions(language=language), target, translators)


def test_a_model_that_translates_writes_english_itself() -> None:
    found = plan(BASE, "en", PORTUGUESE, CHAT)
    assert (found.translator, found.options.task) == (None, "translate")


def test_what_is_spoken_in_the_language_is_only_written_down() -> None:
    for info in (BASE, PLAIN):
        found = plan(info, "fr", language="fr")
        assert (found.translator, found.options.task, found.options.language) == (None, "transcribe", "fr")
    assert plan(ENGLISH, "en").options.task == "transcribe"


def test_a_chat_model_translates_what_was_spoken() -> None:
    found = plan(BASE, "fr", CHAT, PORTUGUESE)
    assert (found.translator, found.options.task) == (CHAT, "transcribe")


def test_other_languages_go_through_the_recognizers_english() -> None:
    found = plan(BASE, "pt", PORTUGUESE)
    assert (found.translator, found.options.task) == (PORTUGUESE, "translate")
    assert found.options.as_spoken == ("en", "pt")


def test_a_given_language_needs_no_detour() -> None:
    for info in (BASE, PLAIN, ENGLISH):
        found = plan(info, "pt", PORTUGUESE, language="en")
        assert (found.translator, found.options.task) == (PORTUGUESE, "transcribe")


def test_a_model_that_does_not_translate_may_be_translated_into_english() -> None:
    found = plan(PLAIN, "en", PORTUGUESE, language="pt")
    assert (found.translator, found.options.task) == (PORTUGUESE, "transcribe")


@pytest.mark.parametrize(
    ("info", "target", "translators", "pairs"),
    [
        (BASE, "de", (PORTUGUESE,), "any-en, en-pt, pt-en"),
        (PLAIN, "pt", (PORTUGUESE,), "en-pt, pt-en"),  # French is spoken, too, and nobody makes English of it
        (PLAIN, "de", (), "none"),
    ],
)
def test_what_nobody_can_do_is_refused_with_what_there_is(
    info: RecognizerInfo, target: str, translators: tuple[Pairs, ...], pairs: str
) -> None:
    with pytest.raises(UnsupportedLanguage) as refused:
        plan(info, target, *translators)
    assert str(refused.value).endswith(f"pairs: {pairs}")
    assert refused.value.param == "to_language"
