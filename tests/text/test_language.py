"""Language told by script alone, and mixed texts cut where it changes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.text.language import detect_language, is_unspaced, is_wide, language_runs, script_of, speakable


@pytest.mark.parametrize(
    ("text", "preferred", "language"),
    [
        ("Hello there", "zh", "en"),
        ("你好", "en", "zh"),
        ("東京都", "en", "zh"),
        ("東京都", "ja", "ja"),
        ("東京に行く", "en", "ja"),
        ("ｶﾀｶﾅ", "en", "ja"),
        ("안녕하세요", "en", "ko"),
        ("한국어 漢字", "en", "ko"),
        ("我用 Python 写 code", "en", "zh"),
        ("iPhone 15 Pro 很好", "en", "zh"),
        ("今日は NHK の news", "en", "ja"),
        ("The word 爱 means love", "zh", "en"),
        ("他说한国话很好听", "en", "zh"),
        ("2024", "ja", "ja"),
        ("", "ko", "ko"),
        ("café", "zh", "en"),
    ],
)
def test_detects(text: str, preferred: str, language: str) -> None:
    assert detect_language(text, preferred) == language


@pytest.mark.parametrize(
    ("text", "default", "runs"),
    [
        ("", "en", []),
        ("123, ", "ja", [("123, ", "ja")]),
        ("Hello", "zh", [("Hello", "en")]),
        ("我用Python写code。", "zh", [("我用", "zh"), ("Python", "en"), ("写", "zh"), ("code。", "en")]),
        ("GPT-4很强", "zh", [("GPT-4", "en"), ("很强", "zh")]),
        ("3个 apples", "zh", [("3个 ", "zh"), ("apples", "en")]),
        ("他说“hello”吗", "zh", [("他说", "zh"), ("“hello”", "en"), ("吗", "zh")]),
        ("don't 走", "zh", [("don't ", "en"), ("走", "zh")]),
        ("東京はTokyo", "en", [("東京は", "ja"), ("Tokyo", "en")]),
        ("東京 Tokyo", "ja", [("東京 ", "ja"), ("Tokyo", "en")]),
        ("東京 Tokyo", "en", [("東京 ", "zh"), ("Tokyo", "en")]),
        ("안녕 hello", "ko", [("안녕 ", "ko"), ("hello", "en")]),
        ("Привет world", "zh", [("Привет ", "zh"), ("world", "en")]),
        ("ＡＢＣです", "ja", [("ＡＢＣ", "en"), ("です", "ja")]),
    ],
)
def test_runs(text: str, default: str, runs: list[tuple[str, str]]) -> None:
    assert [(text[start:end], language) for start, end, language in language_runs(text, default)] == runs


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text("aé9 .(“”好はア안и😀\n", max_size=60), st.sampled_from(["en", "zh", "ja", "ko"]))
def test_runs_cover_the_text_and_differ_from_their_neighbours(text: str, default: str) -> None:
    runs = language_runs(text, default)
    assert "".join(text[start:end] for start, end, _ in runs) == text
    assert all(start < end for start, end, _ in runs)
    assert all(a[1] == b[0] and a[2] != b[2] for a, b in pairwise(runs))


@pytest.mark.parametrize(
    ("char", "script", "wide", "unspaced"),
    [
        ("a", "latin", False, False),
        ("é", "latin", False, False),
        ("Ａ", "latin", False, False),
        ("7", "none", False, False),
        ("。", "none", False, False),
        ("我", "han", True, True),
        ("々", "han", True, True),
        ("𠮷", "han", True, True),
        ("ア", "kana", True, True),
        ("ー", "kana", True, True),
        ("안", "hangul", True, False),
        ("ㅋ", "hangul", True, False),
        ("и", "other", False, False),
        ("ا", "other", False, False),
    ],
)
def test_scripts(char: str, script: str, wide: bool, unspaced: bool) -> None:
    assert (script_of(char), is_wide(char), is_unspaced(char)) == (script, wide, unspaced)


@pytest.mark.parametrize(
    ("text", "can"), [("a", True), ("7", True), ("好", True), ("…!", False), ("😀", False), ("", False)]
)
def test_speakable(text: str, can: bool) -> None:
    assert speakable(text) is can
