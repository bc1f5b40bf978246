"""Texts that break off and texts that end, by language."""

from __future__ import annotations

import pytest

from vivavoce.recognition.trailing_words import breaks_off

BROKEN_OFF = {
    "en": [
        "Could you send it to my",
        "I was wondering if.",
        "Two hundred and",
        "I'd like, um",
        "My name is ...",
        "So I",
    ],
    "de": ["Ich hätte gern einen", "Wir gehen nach Hause und.", "Ich weiß, dass", "Ähm"],
    "fr": ["Je voudrais une", "Il est parti parce que", "Euh...", "C'est pour"],
    "es": ["Quiero un café con", "Dile que", "Vamos a la"],
    "pt": ["Eu queria um", "Ele disse que.", "Vou para o"],
    "it": ["Vorrei un", "Ha detto che", "Vado al cinema con"],
    "zh": ["我想去北京和", "因为", "如果", "我觉得，"],
    "ja": ["明日は", "東京へ行きたいけど", "えっと", "駅から家まで歩いて、"],
    "ko": ["학교에서", "비가 오는데", "그리고"],
}
ENDED = {
    "en": ["Where are you from?", "How?", "I don't know why.", "Come in.", "That's mine.", "Wait for a while.", "Yes."],
    "de": ["Schalte das Licht ein.", "Was ist das?", "Danke sehr.", "Warum?"],
    "fr": ["Et vous ?", "C'est quand ?", "Merci beaucoup."],
    "es": ["¿Dónde está?", "Muchas gracias.", "¿Y tú?"],
    "pt": ["O que é?", "Gosto muito.", "Obrigado."],
    "it": ["Mi piace molto.", "Come stai?", "Grazie."],
    "zh": ["好的。", "你在哪里？", "我要这个。", "对。"],
    "ja": ["待って", "今何時ですか？", "ありがとうございます。", "行きたい。"],
    "ko": ["감사합니다.", "몇 시예요?", "빨리 먹어.", "네."],
}


@pytest.mark.parametrize(("language", "text"), [(code, text) for code, texts in BROKEN_OFF.items() for text in texts])
def test_more_is_to_come(language: str, text: str) -> None:
    assert breaks_off(text, language)


@pytest.mark.parametrize(("language", "text"), [(code, text) for code, texts in ENDED.items() for text in texts])
def test_that_was_all(language: str, text: str) -> None:
    assert not breaks_off(text, language)


def test_of_an_unknown_language_marks_are_understood() -> None:
    assert breaks_off("hello, ", "xx")
    assert not breaks_off("Send it to my", "xx")
    assert not breaks_off("", "en")
    assert not breaks_off("...?", "en")


def test_a_long_text_costs_no_more_than_its_end() -> None:
    assert breaks_off("word " * 100_000 + "and the", "en")
