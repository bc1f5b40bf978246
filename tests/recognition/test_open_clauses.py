"""Texts that stop inside of a thought, and whole ones that look alike, by language."""

from __future__ import annotations

import pytest

from vivavoce.recognition.open_clauses import is_open

OPEN = {
    "en": [
        "When I press the green button.",
        "Thank you. If it rains tomorrow",
        "Because his car broke down.",
        "Okay, so.",
        "I think.",
        "You know",
        "My number is 0-7-9.",
        "The code is 47.",
        "My postcode is BS8",
        "Is it 555-12?",
        "We need onions, garlic.",
        "I would like apples, red pears",
        "Could you possibly?",
        "Can you please",
        "Is this the office of?",
        "The keys are hanging behind.",
        "The doctor says I have to.",
        "The problem is.",
        "The thing is that",
        "Nobody told the driver that the house is",
        "I used to.",
        "Set the alarm for half.",
        "What is the difference between a lake?",
        "We need a new",
        "Could I speak to Mister",
        "I would like to buy.",
        "Let's have soup first, then the fish.",
        "Do you know what's that?",
        "I don't remember where.",
        "My booking reference is LH.",
        "Her surname is spelled B",
        "It's spelled K-A-T",
        "The number is double",
        "My phone number is zero seven nine.",
        "My password begins with a capital letter.",
        "How do I get to?",
        "How much does it cost to?",
    ],
    "de": [
        "Wenn es morgen regnet",
        "Und wenn ich nach Hause komme.",
        "Ich glaube.",
        "Meine Nummer ist 0 7 9",
        "Mein Kennzeichen ist HH",
        "Kannst du mir bitte?",
        "Könnten Sie vielleicht",
        "Kannst du das Licht im Wohnzimmer?",
    ],
    "fr": ["Quand il pleut", "Je crois.", "Mon numéro est le 06", "Est-ce que tu peux ?", "Pourriez-vous me"],
    "es": ["Si llueve mañana", "Bueno.", "Mi número es 91", "¿Puedes?", "Quisiera", "Mi contraseña empieza por la A."],
    "pt": ["Quando eu chegar em casa", "Acho que", "Meu número é 21", "Você poderia?", "Eu queria"],
    "it": ["Se piove domani", "Allora.", "Il mio numero è 06", "Puoi?", "Vorrei"],
    "zh": ["如果明天下雨", "因为他病了", "我觉得", "我的电话是138"],
    "ja": ["実は", "電話番号は03"],
    "ko": ["있잖아", "제 번호는 010"],
}
WHOLE = {
    "en": [
        "When I press the green button, nothing happens.",
        "When does the library close?",
        "If you see my brother tell him to ring me this evening.",
        "Yes, I have.",
        "So it is.",
        "I think so.",
        "The number is 904-3317.",
        "What is 7 times 6?",
        "The train leaves at 7.",
        "Two coffees, please.",
        "We had soup, salad and cheese.",
        "Not today, thanks.",
        "Who are you talking to?",
        "What is this for?",
        "I'll tell you where it is.",
        "What do you need?",
        "I'd love to.",
        "The difference between a lake and a pond.",
        "Something new.",
        "I went to the doctor.",
        "I have never thought of that.",
        "What is that?",
        "Do you know what?",
        "First the soup, then the fish and then ice cream.",
        "I saw it on TV.",
        "I live in the USA.",
        "What are you used to?",
        "How do you know who she talked to?",
        "I would like two.",
        "It begins with a long scene.",
        "",
        "...",
    ],
    "de": [
        "Wenn es regnet, bleiben wir.",
        "Wann kommst du?",
        "Ich glaube dir.",
        "Es ist 7.",
        "Kannst du das Licht ausschalten?",
        "Was kannst du?",
    ],
    "fr": ["Quand est-ce que tu viens ?", "S'il pleut, on reste.", "Je crois que oui."],
    "es": ["¿Cuándo llega?", "Si llueve, nos quedamos.", "Buenos días."],
    "pt": ["Quando você chega?", "Acho que sim."],
    "it": ["Quando arrivi?", "Se piove, restiamo."],
    "zh": ["如果下雨，我们就不去。", "我觉得很好。", "现在几点？"],
    "ja": ["実は学生です。", "7時です。"],
    "ko": ["사실이에요.", "7시예요."],
}


@pytest.mark.parametrize(("language", "text"), [(code, text) for code, texts in OPEN.items() for text in texts])
def test_more_is_needed(language: str, text: str) -> None:
    assert is_open(text, language)


@pytest.mark.parametrize(("language", "text"), [(code, text) for code, texts in WHOLE.items() for text in texts])
def test_that_is_whole(language: str, text: str) -> None:
    assert not is_open(text, language)


@pytest.mark.parametrize("language", ["", "xx"])
def test_of_other_languages_nothing_is_known(language: str) -> None:
    assert not is_open("When I press the green button", language)


def test_only_the_last_sentence_counts_and_only_its_end_is_read() -> None:
    assert not is_open("If it rains. We stay at home tonight.", "en")
    assert is_open("word " * 100_000 + ". I think", "en")
