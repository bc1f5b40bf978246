"""Sounds of listening and echoes, told from what is meant, in several languages."""

from __future__ import annotations

import pytest

from vivavoce.recognition.overheard import is_back_channel, is_echo, tokens


@pytest.mark.parametrize(
    "text",
    ["uh-huh", "Uh huh.", "Mm-hmm", "Mmmm", "yeah", "Yeah, yeah.", "Right, okay.", "I see", "Oh really", "yes",
     "嗯", "嗯嗯", "嗯嗯嗯", "对对对", "好的。", "原来如此", "うん", "うんうん", "はい、はい", "へえー",
     "そうですね", "なるほど", "네", "네네", "응", "그렇군요", "맞아요", "oui", "ah bon", "D'accord", "ja, genau",
     "sí, claro", "Aha!", "Okay… right.", "mmm", "of course", "alles klar", "Verstehe.", "hum hum", "c'est vrai",
     "ya veo", "ho capito", "entendo", "是吗", "这样啊", "没错", "そっか", "そうなんですね", "그렇구나", "그러게요"],
)  # fmt: skip
def test_sounds_of_listening_are_no_turns(text: str) -> None:
    assert is_back_channel(text)


@pytest.mark.parametrize(
    "text",
    ["", "...", "no", "stop", "wait", "yeah but why", "okay stop", "really?", "Right, and what about Sundays",
     "不", "等等", "对不起", "好的，但是太贵了", "嗯？", "いいえ", "待って",
     "是吗？", "m or n", "of course not", "verstehe ich nicht",
     "はいどうぞよろしくお願いします", "아니요", "네 잠깐만요", "yes " * 9],
)  # fmt: skip
def test_what_is_meant_is_one(text: str) -> None:
    assert not is_back_channel(text)


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("opens at nine", "The museum opens at nine, and closes at five."),
        ("The museum opens at night and closes", "The museum opens at nine, and closes at five."),
        ("今天天气很好", "我觉得今天天气很好，适合散步。"),
        ("天気がいいですね", "今日は天気がいいですね。"),
        ("오늘 날씨가", "오늘 날씨가 정말 좋네요."),
    ],
)
def test_an_echo_is_what_was_said(heard: str, said: str) -> None:
    assert is_echo(heard, said)


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("what about sundays", "The museum opens at nine, and closes at five."),
        ("when does it close on sundays", "The museum opens at nine, and closes at five."),
        ("what is the capital of france", "Paris is the capital of France, and has been for long."),
        ("stop", "The bus stop is on the left."),
        ("等等", "请等等，我在找。"),
        ("", "Anything."),
        ("anything", ""),
        ("what else is there to see", "There is a castle, what else? A river, and the old town."),
    ],
)
def test_other_words_are_not(heard: str, said: str) -> None:
    assert not is_echo(heard, said)


def test_tokens_are_words_or_characters() -> None:
    assert tokens("It's ＯＫ，好的 2x") == ["it", "s", "ok", "好", "的", "2x"]


def test_hostile_lengths_are_cut() -> None:
    assert not is_back_channel("yes " * 100_000)
    assert not is_echo("a b " * 100_000, "c d " * 100_000)
