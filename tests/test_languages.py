"""A language is known by any of its names; what is none is refused by its name."""

from __future__ import annotations

import pytest

from vivavoce.errors import UnknownLanguage
from vivavoce.languages import language_code


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("en", "en"), ("EN", "en"), ("en-US", "en"), ("en_GB", "en"), ("English", "en"), (" english ", "en"),
        ("eng", "en"), ("zh-CN", "zh"), ("zh-Hans-CN", "zh"), ("ZH_TW", "zh"), ("Chinese", "zh"), ("cmn", "zh"),
        ("中文", "zh"), ("ja-JP", "ja"), ("jp", "ja"), ("Japanese", "ja"), ("日本語", "ja"), ("ko-KR", "ko"),
        ("Korean", "ko"), ("한국어", "ko"), ("Auto", "auto"), ("AUTO", "auto"), ("", "auto"), ("default", "auto"),
        ("English (US)", "en"), ("Chinese (Simplified)", "zh"), ("en_US.UTF-8", "en"), ("ja_JP.utf8", "ja"),
    ],
)  # fmt: skip
def test_names_and_tags_in_any_case(written: str, code: str) -> None:
    assert language_code(written) == code


@pytest.mark.parametrize(
    "written",
    ["fr", "fr-FR", "Kling", "en US", "en-", "e", "(US)", "English (US) x", "x" * 500, "en\x00", "zh-" + "a" * 90],
)
def test_what_is_none_is_refused_by_its_name(written: str) -> None:
    with pytest.raises(UnknownLanguage) as caught:
        language_code(written)
    assert caught.value.param == "language"
    assert written[:2] in caught.value.message
    assert len(caught.value.message) < 200
