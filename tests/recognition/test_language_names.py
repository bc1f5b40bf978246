"""Names and tags of languages."""

from __future__ import annotations

import pytest

from vivavoce.errors import UnknownLanguage
from vivavoce.models.shelf import LANGUAGES
from vivavoce.recognition.language_names import NAMES, heard_language, name_of


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("en", "en"), ("EN-us", "en"), ("english", "en"), ("English", "en"), ("zh_Hans_CN", "zh"), ("deu", "de"),
        ("Deutsch", "de"), ("pt-BR", "pt"), ("português", "pt"), ("日本語", "ja"), ("nb", "no"), ("yue", "yue"),
        ("haw", "haw"), (" auto ", None), ("", None), ("multi", None),
        ("Portuguese (Brazil)", "pt"), ("de_DE.UTF-8", "de"),
    ],
)  # fmt: skip
def test_what_people_write(written: str, code: str | None) -> None:
    assert heard_language(written) == code


@pytest.mark.parametrize("written", ["klingon", "e", "en-", "x" * 10_000, "\0", "12"])
def test_what_means_nothing(written: str) -> None:
    with pytest.raises(UnknownLanguage):
        heard_language(written)


def test_every_language_that_is_understood_has_a_name() -> None:
    assert set(LANGUAGES) <= set(NAMES)
    assert name_of("pt") == "portuguese"
