"""Commands that are understood without a chat model, in every language that is shipped, and what is left alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.assistant.voice_commands import VoiceCommands
from vivavoce.errors import ConfigError

COMMANDS = VoiceCommands.load()


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("Set a timer for five minutes.", 300),
        ("set a timer for 5 minutes", 300),
        ("Hey, could you please set a timer for twenty-five seconds, thanks!", 25),
        ("Set a timer for an hour and a half", 5400),
        ("set a timer for one and a half hours", 5400),
        ("Set a timer for half an hour.", 1800),
        ("Start a timer for one hour and twenty minutes", 4800),
        ("Set a two minute timer", 120),
        ("Timer, ninety seconds", 90),
        ("Set a timer for 2.5 minutes", 150),
        ("set a timer for one hundred and five seconds", 105),
        ("Wake me up in a couple of hours", 7200),
        ("Stell einen Timer auf fünf Minuten, bitte.", 300),
        ("Stelle bitte einen Timer auf fünf Minuten", 300),
        ("Timer auf anderthalb Stunden", 5400),
        ("Weck mich in einer halben Stunde", 1800),
        ("Mets un minuteur de cinq minutes, s'il te plaît", 300),
        ("Réveille-moi dans une demi-heure", 1800),
        ("Minuteur de vingt et une secondes", 21),
        ("Mets un minuteur de deux heures et demie", 9000),
        ("Pon un temporizador de diez minutos, por favor", 600),
        ("Pon un temporizador de una hora y media", 5400),
        ("设置一个五分钟的计时器", 300),
        ("请帮我定一个二十五分钟的闹钟，谢谢", 1500),
        ("倒计时30秒", 30),
        ("定个半小时的闹钟", 1800),
        ("定一个一个半小时的闹钟", 5400),
        ("两个小时后叫我", 7200),
        ("五分のタイマーをセットして", 300),
        ("5分間のタイマーをお願いします", 300),
        ("タイマーを一時間半に設定して", 5400),
        ("十分後に起こしてください", 600),
        ("5분 타이머 맞춰줘", 300),
        ("한 시간 반 뒤에 깨워 줘", 5400),
        ("삼십 초 타이머 설정해줘", 30),
        ("타이머를 십오 분으로 맞춰 주세요", 900),
    ],
)
def test_a_timer_is_understood(said: str, seconds: float) -> None:
    call = COMMANDS.match(said)
    assert call is not None
    assert (call.function, json.loads(call.arguments)) == ("set_timer", {"seconds": seconds})
    assert call.confirmation


@pytest.mark.parametrize(
    ("said", "function", "arguments"),
    [
        ("Play some music, please.", "play_music", {}),
        ("Play some jazz", "play_music", {"query": "jazz"}),
        ("play classical music", "play_music", {"query": "classical"}),
        ("Stop the music!", "stop_music", {}),
        ("Turn off the music", "stop_music", {}),
        ("Cancel the timer", "cancel_timer", {}),
        ("Stop all timers.", "cancel_timer", {}),
        ("Spiel mir etwas Musik", "play_music", {}),
        ("Musik aus!", "stop_music", {}),
        ("Mets de la musique", "play_music", {}),
        ("Pon música", "play_music", {}),
        ("放点音乐吧", "play_music", {}),
        ("播放音乐", "play_music", {}),
        ("停止播放音乐", "stop_music", {}),
        ("取消计时器", "cancel_timer", {}),
        ("音楽をかけて", "play_music", {}),
        ("ジャズの曲をかけて", "play_music", {"query": "ジャズ"}),
        ("音楽を止めてください", "stop_music", {}),
        ("タイマーを止めて", "cancel_timer", {}),
        ("음악 틀어 줘", "play_music", {}),
        ("재즈 음악을 틀어줘", "play_music", {"query": "재즈"}),
        ("음악 꺼 줘", "stop_music", {}),
    ],
)
def test_the_other_commands_are_understood(said: str, function: str, arguments: dict[str, Any]) -> None:
    call = COMMANDS.match(said)
    assert call is not None
    assert (call.function, json.loads(call.arguments)) == (function, arguments)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "...",
        "How do I set a timer for five minutes?",
        "Set a timer",
        "Set a timer for soup",
        "Set a timer for five",
        "Set a timer for five minutes and tell me a joke",
        "I play music every day with my friends",
        "Play a game with me",
        "Stop",
        "What time is it?",
        "音乐是什么",
        "五分钟",
        "word " * 1000,
    ],
)
def test_everything_else_is_left_to_the_chat_model(said: str) -> None:
    assert COMMANDS.match(said) is None


def test_it_is_confirmed_in_the_words_that_were_heard() -> None:
    said = {
        "Set a timer for twenty five minutes": "I set a timer for twenty five minutes.",
        "设置一个五分钟的计时器": "好的，五分钟的计时器已经开始。",
        "倒计时30秒": "好的，30秒的计时器已经开始。",
        "5분 타이머 맞춰줘": "5분 타이머를 맞췄어요.",
    }
    for words, confirmation in said.items():
        call = COMMANDS.match(words)
        assert call is not None
        assert call.confirmation == confirmation


def test_the_language_that_was_heard_comes_first() -> None:
    table = {
        "command": [{"function": "f", "phrases": {"en": ["alarm"], "de": ["alarm"]}, "confirmation": {"de": "Ja."}}]
    }
    commands = VoiceCommands(table, "test")
    assert [commands.match("Alarm!", code).language for code in ("de", "en", "fr")] == ["de", "en", "de"]  # type: ignore[union-attr]


def test_the_functions_are_described_as_for_a_chat_model() -> None:
    functions = {function.name: function for function in COMMANDS.functions}
    assert set(functions) == {"set_timer", "cancel_timer", "play_music", "stop_music"}
    assert functions["set_timer"].parameters == {"type": "object", "properties": {"seconds": {"type": "number"}}}


def test_words_and_numbers_can_be_slots() -> None:
    table = {
        "command": [
            {"function": "light", "slots": {"room": ["kitchen", "living room"], "percent": "number"},
             "phrases": {"en": "[the] light in the {room} (on|to {percent} percent)"}}
        ]
    }  # fmt: skip
    commands = VoiceCommands(table, "test")
    call = commands.match("Light in the living room to seventy percent.")
    assert call is not None
    assert json.loads(call.arguments) == {"room": "living room", "percent": 70}
    assert commands.match("The light in the kitchen on") is not None
    assert commands.match("the light in the cellar on") is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("command = 3", "command"),
        ("[[command]]\nname = 'x'", "function"),
        ("[[command]]\nfunction = 'f'\nphrases = 'x'", "tables by language"),
        ("[[command]]\nfunction = 'f'\nslots = {a = 'colour'}", "slot 'a'"),
        ("[[command]]\nfunction = 'f'\n[command.phrases]\nen = ['do {a}']", "no slot"),
        ("[[command]]\nfunction = 'f'\n[command.phrases]\nen = ['(do']", "not closed"),
        ("[[command]]\nfunction = 'f'\n[command.phrases]\nen = ['x']\n[language.en]\nseconds = {hour = 'x'}", "en"),
        ("[[", "cannot read"),
    ],
)
def test_mistakes_in_a_file_are_told(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "commands.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=sentence):
        VoiceCommands.load(file)
    with pytest.raises(ConfigError, match="cannot read"):
        VoiceCommands.load(tmp_path / "nowhere.toml")


@given(st.text(max_size=60))
def test_nothing_that_is_said_breaks_it(said: str) -> None:
    COMMANDS.match(said)
