"""Korean: the phones that the voices were trained with, mixed sentences, words, and what loading it leaves alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genie_text_data import text_data
from vivavoce.engines.genie.reading.korean import KoreanFrontEnd
from vivavoce.engines.genie.reading.phonemes import PhonemeFrontEnd
from vivavoce.engines.genie.reading.symbols import symbol_ids
from vivavoce.text.mapped import MappedText

ROWS = json.loads((Path(__file__).parents[3] / "fixtures" / "korean_phones.json").read_text("utf-8"))

# What the original says of these is asked of the original itself, below.
MORE = """오늘 3시 30분에 만나요.
책 21권과 연필 100자루가 있다.
LG와 SK, 그리고 KBS를 mp3로 들었다.
1번째 줄에서 10월까지 50%를 읽었다.
넓다, 넓죽하다, 밟고, 밟는다.
맏이가 해돋이를 보고 닫혔다.
싫어도 잃지 않고 끓는 물에 넣었다.
신라면과 칼날, 난로, 줄넘기.
안고 신고 앉다가 남다.
갈 곳이 있을 걸 그랬지.
먹을 것을 먹을수록 배가 부르다.
키읔이 피읖을 티읕에 디귿이.
희망의 나라, 무늬, 주의의 의의.
가져가서 쳐다보고 계세요.
꽃 위에 앉은 새, 밭 아래 논.
국민 여러분, 십 리 밖의 음운론.
ㅋㅋㅋ 정말? 'ㅎㅎ'
(괄호) [대괄호] <꺾쇠> ~물결~
1,234,567원과 10001마리
漢字와 かな와 émile""".splitlines()


@pytest.fixture(scope="module")
def korean() -> KoreanFrontEnd:
    return KoreanFrontEnd()


@pytest.fixture(scope="module")
def front_end() -> PhonemeFrontEnd:
    return PhonemeFrontEnd(text_data())


def phones(front_end: PhonemeFrontEnd, text: str, language: str = "auto", *, prompt: bool = True) -> str:
    names = list(symbol_ids())
    return " ".join(names[number] for number in front_end.phonemize(text, language, prompt=prompt).ids[0])


@pytest.mark.parametrize("row", ROWS, ids=[row["text"] for row in ROWS])
def test_phones_are_those_of_the_voices_training(
    korean: KoreanFrontEnd, front_end: PhonemeFrontEnd, row: dict[str, str]
) -> None:
    assert " ".join(korean.read(MappedText.of(row["text"])).symbols) == row["phones"]
    assert phones(front_end, row["text"], "ko") == row["phones"]


ORIGINAL = """
import importlib.util, json, sys, types
corpus = types.ModuleType("nltk.corpus")
corpus.cmudict = types.SimpleNamespace(dict=dict)
nltk = types.ModuleType("nltk")
nltk.data = types.SimpleNamespace(find=lambda name: name)
nltk.corpus = corpus
sys.modules |= {"nltk": nltk, "nltk.corpus": corpus}
from jamo import h2j, j2hcj
from g2pk2 import G2p
said = G2p()
print(json.dumps([j2hcj(h2j(said(text))) for text in json.load(sys.stdin)]))
"""


def test_the_rules_are_applied_as_their_package_applies_them(korean: KoreanFrontEnd) -> None:
    """Its `G2p` needs pip, a download and a second of imports; what it makes of a text without Latin is the same."""
    texts = [
        text
        for text in [*MORE, *(row["text"] for row in ROWS)]
        if not any(char.isascii() and char.isalpha() for char in text)
    ]
    original = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ORIGINAL],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
    )
    expected = json.loads(original.stdout.splitlines()[-1])

    two_sounds = dict(
        zip(
            "ㅘㅙㅚㅝㅞㅟㅢㅑㅒㅕㅖㅛㅠ",
            re.findall("..", "ㅗㅏㅗㅐㅗㅣㅜㅓㅜㅔㅜㅣㅡㅣㅣㅏㅣㅐㅣㅓㅣㅔㅣㅗㅣㅜ"),
            strict=True,
        )
    )
    for text, said in zip(texts, expected, strict=True):
        letters = "".join(two_sounds.get(letter, letter) for letter in said)
        letters = letters.replace("ㅇㅡㄹ ㄹ", "ㅇㅡㄹ ㄴ").replace("ㄹㅡㄹ ㄹ", "ㄹㅡㄹ ㄴ").replace(" ", "空")
        ours = korean.read(MappedText.of(text)).symbols
        assert "".join(ours) == "".join(letter if letter in symbol_ids() else "停" for letter in letters)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # an English word is said in English; the particle behind it is Korean and keeps its space behind
        ("저는 coffee를 좋아해요.", "ㅈ ㅓ ㄴ ㅡ ㄴ 空 K AA1 F IY0 ㄹ ㅡ ㄹ 空 ㅈ ㅗ ㅇ ㅏ ㅎ ㅐ ㅇ ㅣ ㅗ ."),
        # initials are Korean words: the letters have Korean names
        ("KBS 뉴스를 봤어요.", "ㅋ ㅔ ㅇ ㅣ ㅂ ㅣ ㅇ ㅔ ㅅ ㅡ 空 ㄴ ㅣ ㅜ ㅅ ㅡ ㄹ ㅡ ㄹ 空 ㅂ ㅗ ㅏ ㅆ ㅓ ㅇ ㅣ ㅗ ."),
        # a number after an English name is Korean again
        ("iPhone 15를 샀어요.", "AY1 F OW2 N 空 ㅇ ㅣ ㄹ ㅗ ㄹ ㅡ ㄹ 空 ㅅ ㅏ ㅆ ㅓ ㅇ ㅣ ㅗ ."),
        # Han without kana is Chinese
        ("그는 你好라고 말했다.", "ㄱ ㅡ ㄴ ㅡ ㄴ 空 n i2 h ao3 ㄹ ㅏ ㄱ ㅗ 空 ㅁ ㅏ ㄹ ㅎ ㅐ ㄷ ㄸ ㅏ ."),
        # kana is Japanese, with its pitch
        (
            "저는 こんにちは를 배웠어요.",
            "ㅈ ㅓ ㄴ ㅡ ㄴ 空 k o [ N n i ch i w a ㄹ ㅡ ㄹ 空 ㅂ ㅐ ㅇ ㅜ ㅓ ㅆ ㅓ ㅇ ㅣ ㅗ .",
        ),
        # words in capitals are words, not initials
        ("LOVE YOU 노래", "L AH1 V Y UW1 ㄴ ㅗ ㄹ ㅐ ."),
        # a letter is named; the rules go on across its border: 값과 -> 갑꽈
        ("x값과 LG 전자", "ㅇ ㅔ ㄱ ㅆ ㅡ ㄱ ㅏ ㅂ ㄲ ㅗ ㅏ 空 ㅇ ㅔ ㄹ ㅈ ㅣ 空 ㅈ ㅓ ㄴ ㅈ ㅏ ."),
        # three languages; the counter after the number decides that it is counted in Korean
        (
            "오늘 meeting은 首尔에서 3시.",
            "ㅇ ㅗ ㄴ ㅡ ㄹ 空 M IY1 T IH0 NG ㅇ ㅡ ㄴ 空 sh ou2 EE er3 ㅇ ㅔ ㅅ ㅓ 空 ㅅ ㅔ ㅅ ㅣ .",
        ),
    ],
)
def test_a_korean_sentence_with_other_languages_in_it(front_end: PhonemeFrontEnd, text: str, expected: str) -> None:
    assert phones(front_end, text) == phones(front_end, text, "ko") == expected


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("I said 안녕하세요 to her.", "en", "AY1 S EH1 D ㅇ ㅏ ㄴ ㄴ ㅣ ㅓ ㅇ ㅎ ㅏ ㅅ ㅔ ㅇ ㅣ ㅗ 空 T UW1 HH ER1 ."),
        ("我会说안녕。", "zh", "w o3 h ui4 sh uo1 ㅇ ㅏ ㄴ ㄴ ㅣ ㅓ ㅇ ."),
        ("これは김치です。", "ja", "k o [ r e w a ㄱ ㅣ ㅁ ㅊ ㅣ d e ] s u ."),
    ],
)
def test_korean_inside_other_languages(front_end: PhonemeFrontEnd, text: str, language: str, expected: str) -> None:
    assert phones(front_end, text, language) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0개, 20개", "영개, 스무개"),  # the first is not looked for inside the second
        ("32마리, 3,200원", "서른두마리, 삼천이백원"),
        ("12345678901234567개", "일이삼사오육칠팔구영일이삼사오육칠개"),  # no name for it: digit by digit
    ],
)
def test_numbers_with_counters(korean: KoreanFrontEnd, text: str, expected: str) -> None:
    assert korean.read(MappedText.of(text)).symbols == korean.read(MappedText.of(expected)).symbols


def test_words_are_as_written(front_end: PhonemeFrontEnd) -> None:
    text = '사과 5개와 "AI"라고, 010-12.'
    phonemes = front_end.phonemize(text, "ko")
    names = list(symbol_ids())
    read = [names[number] for number in phonemes.ids[0]]

    assert [(text[start:end], "".join(read[first:last])) for first, last, start, end in phonemes.words] == [
        ("사과", "ㅅㅏㄱㅗㅏ"),
        ("5개와", "ㄷㅏㅅㅓㄷㄲㅐㅇㅗㅏ"),
        ("AI", "ㅇㅔㅇㅣㅇㅏㅇㅣ"),
        ("라고", "ㄹㅏㄱㅗ"),
        ("010", "ㅇㅣㅓㅇㅇㅣㄹㅣㅓㅇ"),
        ("12", "ㅇㅣㄹㅣ"),
    ]


def test_short_beginnings_get_a_mark_as_in_other_languages(front_end: PhonemeFrontEnd) -> None:
    assert phones(front_end, "음, 글쎄요.", prompt=False).startswith(". ㅇ ㅡ ㅁ ,")
    assert phones(front_end, "안녕하세요.", prompt=False).startswith("ㅇ ㅏ ㄴ")


@given(st.text("가값２을 ㄹㅋ의ᄀ1,0개%/BPx漢か'\".…\n\t\u3000ﾡᆨ", max_size=40))
def test_any_text_has_known_symbols_and_words_in_order(korean: KoreanFrontEnd, text: str) -> None:
    reading = korean.read(MappedText.of(text))

    assert set(reading.symbols) <= set(symbol_ids())
    done, read = 0, 0
    for first, last, start, end in reading.words:
        assert read <= first < last <= len(reading.symbols)
        assert 0 <= start < end <= len(text)
        assert start >= done or len({word[2:] for word in reading.words}) == 1
        done, read = start, last


def test_any_number_of_threads(korean: KoreanFrontEnd) -> None:
    with ThreadPoolExecutor(4) as pool:
        readings = list(pool.map(lambda row: korean.read(MappedText.of(row["text"])), ROWS * 4))

    assert [" ".join(reading.symbols) for reading in readings] == [row["phones"] for row in ROWS] * 4


ALONE = """
import socket, subprocess, sys
def refuse(*arguments, **options):
    raise AssertionError("asked for " + repr(arguments))
subprocess.Popen = subprocess.run = socket.socket = socket.create_connection = refuse
from vivavoce.engines.genie.reading.korean import KoreanFrontEnd
from vivavoce.text.mapped import MappedText
KoreanFrontEnd().read(MappedText.of("old school 3개"))
print(sorted(name for name in sys.modules if name.split(".")[0] in ("g2pk2", "nltk", "pip")))
"""


def test_loading_starts_no_process_opens_no_socket_and_leaves_no_module() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
    assert done.stderr == ""
