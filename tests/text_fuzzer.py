"""Texts that nobody would write, through the splitter, the normaliser and the front ends of both engines.

A bounded number of them runs with the tests; by hand as many as wanted, each case with a seed of its own:

    python tests/text_fuzzer.py --cases 100000 --seed 7 [--genie]
"""

from __future__ import annotations

import argparse
import random
import sys
import unicodedata
from collections.abc import Callable
from itertools import pairwise

from vivavoce.engines.embedded import LONGEST_STEP, EmbeddedEngine, EmbeddedVoice
from vivavoce.engines.speech import SpeechOptions
from vivavoce.errors import EmptyInput, InvalidRequest, UnspeakableText, VoiceUnavailable
from vivavoce.text.language import is_wide, speakable
from vivavoce.text.normalize import SpokenText, normalize
from vivavoce.text.pieces import LONGEST, pieces_of
from vivavoce.text.sentences import Sentence, SentenceSplitter

SEEDS = [
    "7", "77777777 ", "7-", "www.", "http://", "a@b.", "9,", "1.", "½", "$", "€", "₦5", "%", "°",
    "⁻³", "x^", "1e9", "⑴", "①", "⒈", "㎏", "㈠", "Ⅳ", "ⅻ", "\U0001f130", "Ⓐ", "\U0001d401",
    "\U0001d7db", "ｆ", "５", "\u0663", "౫", "ﬁ", "ª", "º", "ʻ", "ʰ", "№", "℃", "a\u0301", "\u0301",
    "\u0345", "\u0591", "゙", "᷄", "\U0001d165", "é", "ß", "Æ", "α", "Δ", "Ж", "Привет", "你好", "日本語",
    "한국어", "ㄱ", "ᄀ", "ᆨ", "\u05e9\u05dc\u05d5\u05dd", "\u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "ไทย", "नमस्ते", "嗯", "々", "〇", "\U00020bb7", "ーっ", "\U0001f600",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467", "\U0001f3f3\ufe0f\u200d\U0001f308", "\x00",
    "\x07", "\x1b", "\u200b", "\u202e", "\ufeff", "\ud800", "\udc00", "\uffff", "�", "\u2028",
    "\xa0", "\u202f", "\n", "\n\n", "\r\n", "\t", " ", "  ", "`", "```", "~~~\n", "**", "_", "[",
    "](", "[3]", "<", "<b>", "</li>", "<br>", "<3", "&amp;", "&#55296;", "&#x110000;",
    "&lt;script&gt;", "$$", "\\frac{", "}", "\\(", "\\alpha", "|", "---", "--", "–", "—", "−", ".",
    "...", "…", "!", "?", "。", "！？", "「", "」", "(", ")", '"', "'", "’", ":", ";", ",", "、", "Mr. ",
    "max. ", "U.S. ", "9am-5pm", "Mon-Fri", "2024-05-17T08:30:00Z", "10:30", "1/2", "10/10",
    "5 km/h", '27"', "code 1234 ", "call 5551234567", "1999 dollars", "Henry VIII ", "CO2", "BC ",
    "a==b", "x<=5", "hello ", "world ", "the ", "I ", "0",
]  # fmt: skip


def text_of(seed: int) -> str:
    """The text of a case: a few pieces in any order, some of them many times."""
    chance = random.Random(seed)
    parts: list[str] = []
    for _ in range(chance.randint(1, 12)):
        piece = chance.choice(SEEDS)
        if chance.random() < 0.1:
            piece = chr(chance.choice((chance.randrange(0x250, 0x3000), chance.randrange(0x110000))))
        parts.append(piece * (chance.choice((1, 1, 1, 2, 30, 400)) if chance.random() < 0.4 else 1))
        if chance.random() < 0.3:
            parts.append(" ")
    return "".join(parts)[: chance.choice((40, 200, 2000))]


def split(text: str, chance: random.Random) -> list[Sentence]:
    """Its sentences; cutting it elsewhere on the way gives the same."""
    whole = SentenceSplitter()
    sentences = [*whole.feed(text), *whole.flush()]
    assert "".join(sentence.text for sentence in sentences) == text, "a character is lost or doubled"
    cuts = sorted(chance.randrange(len(text) + 1) for _ in range(chance.randint(1, 8)))
    pieces = SentenceSplitter()
    fed = [each for start, end in pairwise([0, *cuts, len(text)]) for each in pieces.feed(text[start:end])]
    assert [*fed, *pieces.flush()] == sentences, "the sentences depend on the cuts"
    return sentences


def read(sentence: str, language: str) -> list[SpokenText]:
    """Its words, in pieces of bounded length."""
    spoken = normalize(sentence, language)
    assert len(spoken.text) <= 20 * len(sentence), "it explodes"
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn") for char in spoken.text), "unclean"
    at = source_at = 0
    for start, end, source_start, source_end in spoken.spans:
        assert start == at < end, "the map has a hole"
        assert source_at <= source_start < source_end <= len(sentence), "the map leads astray"
        at, source_at = end, source_end
    assert at == len(spoken.text), "the map ends early"
    if not spoken.text:
        return []
    assert speakable(spoken.text), "there is nothing to say"
    if language == "en":
        assert not any(char.isascii() and (char.isdigit() or char in "$%&@#*=<>|") for char in spoken.text), (
            "a sign stays"
        )
    pieces = pieces_of(spoken)
    for piece in pieces:
        assert len(piece.text) + 2 * sum(map(is_wide, piece.text)) <= LONGEST + 3, "a piece is too long"
    return pieces


def speak_embedded(engine: EmbeddedEngine, voice: EmbeddedVoice, piece: SpokenText) -> None:
    """The embedded voice's phonemes of a piece."""
    try:
        stream = engine.open(engine.check(piece, voice, SpeechOptions()), voice, SpeechOptions(seed=1))
    except (EmptyInput, UnspeakableText):
        return
    assert stream.sentence.text.isascii(), "letters it does not know"
    assert not any(map(str.isdigit, stream.sentence.text)), "figures for its own rules"
    assert all(len(string) <= LONGEST_STEP for string in stream.phonemes), "a step is too long"


def speak_genie(phonemize: Callable[..., object], piece: SpokenText) -> None:
    """The Genie front ends' symbols of a piece."""
    try:
        phonemize(piece.text, piece.language)
    except (EmptyInput, UnspeakableText, VoiceUnavailable):
        return
    except InvalidRequest:  # it explodes into more symbols than a voice may be given
        return


def run(seed: int, embedded: tuple[EmbeddedEngine, EmbeddedVoice], phonemize: Callable[..., object] | None) -> None:
    """One case.

    Raises:
        AssertionError: If a rule is broken; whatever else a front end raises is a failure too.
    """
    chance = random.Random(-seed)
    for sentence in split(text_of(seed), chance):
        if not sentence.spoken:
            continue
        for piece in read(sentence.text, "en"):
            speak_embedded(*embedded, piece)
        for piece in read(sentence.text, "auto"):
            speak_embedded(*embedded, piece)
            if phonemize is not None:
                speak_genie(phonemize, piece)


def loaded_embedded() -> tuple[EmbeddedEngine, EmbeddedVoice]:
    """The embedded voice."""
    engine = EmbeddedEngine()
    return engine, engine.load_voice(engine.voices()[0].id)


def main() -> int:
    """Run cases until one fails or their number is reached."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1, help="of the first case")
    parser.add_argument("--genie", action="store_true", help="through the Genie front ends too")
    args = parser.parse_args()
    embedded, phonemize, failures = loaded_embedded(), None, 0
    if args.genie:
        from genie_text_data import text_data
        from vivavoce.engines.genie.reading.phonemes import PhonemeFrontEnd

        phonemize = PhonemeFrontEnd(text_data()).phonemize
    for seed in range(args.seed, args.seed + args.cases):
        try:
            run(seed, embedded, phonemize)
        except Exception as error:
            failures += 1
            sys.stdout.write(f"case {seed}: {type(error).__name__}: {error}\n  {text_of(seed)[:200]!r}\n")
    sys.stdout.write(f"{args.cases} cases, {failures} failures\n")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
