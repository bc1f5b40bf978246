"""What is said for what is written, and where each spoken piece stands in the written text."""

from __future__ import annotations

import string
import sys
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.text.language import speakable
from vivavoce.text.normalize import SpokenText, normalize

ENGLISH = [
    # numbers
    ("She has 12 cats.", "She has twelve cats."),
    ("1,234,567 people", "one million two hundred thirty-four thousand five hundred sixty-seven people"),
    ("It is 3.14 or 0.5 or .5", "It is three point one four or zero point five or point five"),
    ("agent 007", "agent zero zero seven"),
    ("It is -5 or -2.5.", "It is minus five or minus two point five."),
    ("5 - 3 = 2", "five minus three equals two"),
    ("5+5=10", "five plus five equals ten"),
    ("3 x 4, 3×4 and 3 * 4", "three times four, three times four and three times four"),
    ("10 ÷ 2", "ten divided by two"),
    ("2^10 and x²", "two to the power of ten and x squared"),
    ("a 10x gain", "a ten times gain"),
    ("10-20 or 10–20", "ten to twenty or ten to twenty"),
    ("a 3-2 win", "a three to two win"),
    ("pages 5-7", "pages five to seven"),
    ("a 5-year-old", "a five-year-old"),
    ("a 16:9 screen", "a sixteen to nine screen"),
    ("1234567890123456", "one two three four five six seven eight nine zero one two three four five six"),
    ("3.14159265358979323846", "three point one four one five nine two six five three five eight nine seven nine three "
                               "two three eight four six"),
    # money
    ("It costs $3.50.", "It costs three dollars and fifty cents."),
    ("$1, $1.01 and $0.99", "one dollar, one dollar and one cent and ninety-nine cents"),
    ("$1.2 million", "one point two million dollars"),
    ("$5k, $5M and $3bn", "five thousand dollars, five million dollars and three billion dollars"),
    ("£20 and £1.50", "twenty pounds and one pound and fifty pence"),
    ("€2.5bn", "two point five billion euros"),
    ("¥500 and 20€", "five hundred yen and twenty euros"),
    ("-$5", "minus five dollars"),
    ("$10-20", "ten to twenty dollars"),
    ("US$5 and 20 USD", "five U.S. dollars and twenty U.S. dollars"),
    ("$1,200.75", "one thousand two hundred dollars and seventy-five cents"),
    ("50¢", "fifty cents"),
    ("$10/hour", "ten dollars per hour"),
    # percentages, units, degrees
    ("12.5% of it", "twelve point five percent of it"),
    ("10-20%", "ten to twenty percent"),
    ("5%-10%", "five to ten percent"),
    ("1 km and 5kg", "one kilometer and five kilograms"),
    ("3.5 km/h", "three point five kilometers per hour"),
    ("100 m² and 2 m³", "one hundred square meters and two cubic meters"),
    ("a 20-km run", "a twenty kilometer run"),
    ("5 MB/s", "five megabytes per second"),
    ("20°C, -5 °F, a 45° turn", "twenty degrees Celsius, minus five degrees Fahrenheit, a forty-five degree turn"),
    ("5'10\" tall", "five foot ten tall"),
    ("6 ft 2 in tall", "six foot two tall"),
    ("5in wide", "five inches wide"),
    # fractions and ordinals
    ("1/2, 3/4, 2/3, 5/8", "one half, three quarters, two thirds, five eighths"),
    ("2 1/2 cups, 2½ cups", "two and a half cups, two and a half cups"),
    ("¾ cup", "three quarters cup"),
    ("24/7", "twenty-four seven"),
    ("50/50", "fifty fifty"),
    ("1st 2nd 3rd 5th 21st 112th", "first second third fifth twenty-first one hundred twelfth"),
    ("the 1,000th", "the one thousandth"),
    # dates and years
    ("On May 5, 2024, it rained", "On May fifth, twenty twenty-four, it rained"),
    ("Jan. 5", "January fifth"),
    ("5 May 2024", "the fifth of May, twenty twenty-four"),
    ("the 3rd of June", "the third of June"),
    ("2024-05-17", "May seventeenth, twenty twenty-four"),
    ("5/17/2024", "May seventeenth, twenty twenty-four"),
    ("17/5/2024", "May seventeenth, twenty twenty-four"),
    ("17.05.2024", "May seventeenth, twenty twenty-four"),
    ("May 5-7", "May fifth to seventh"),
    ("in 1999, 1905, 2001, 2010 and 1900",
     "in nineteen ninety-nine, nineteen oh five, two thousand one, twenty ten and nineteen hundred"),
    ("1999-2004", "nineteen ninety-nine to two thousand four"),
    ("in 1066", "in ten sixty-six"),
    ("3500 people", "three thousand five hundred people"),
    ("the 1990s, the '80s and 2000s", "the nineteen nineties, the eighties and two thousands"),
    ("summer of '69", "summer of sixty-nine"),
    # times
    ("at 5 p.m.", "at five P.M."),
    ("at 5pm.", "at five P.M."),
    ("at 9:05 a.m. sharp", "at nine oh five A.M. sharp"),
    ("at 17:30", "at seventeen thirty"),
    ("at 9:00 and 13:00", "at nine o'clock and thirteen hundred"),
    ("9-5 p.m.", "nine to five P.M."),
    ("2024-05-17T09:30", "May seventeenth, twenty twenty-four, nine thirty"),
    # abbreviations and letters
    ("Mr. Lee, Mrs. Hall and Dr. Wu", "Mister Lee, missus Hall and doctor Wu"),
    ("Mr. Lee paid $3.50 at 5 p.m.", "Mister Lee paid three dollars and fifty cents at five P.M."),
    ("See e.g. v2.0.1", "See for example, version two point zero point one"),
    ("i.e. that", "that is, that"),
    ("pens, paper, etc.", "pens, paper, et cetera."),
    ("pens etc. are", "pens et cetera are"),
    ("Smith vs. Jones", "Smith versus Jones"),
    ("No. 5. No, no.", "number five. No, no."),
    ("Fig. 2, p. 5, pp. 10-12, vol. 3", "figure two, page five, pages ten to twelve, volume three"),
    ("St. John lives on Main St.", "saint John lives on Main street."),
    ("Smith & Sons, Inc.", "Smith and Sons, incorporated."),
    ("the U.S. and a Ph.D. too", "the U.S. and a P.H.D. too"),
    ("J. R. R. Tolkien", "J R R Tolkien"),
    ("w/o it, w/ it and/or b", "without it, with it and or b"),
    # Roman numerals
    ("Chapter IV, Part II, World War II", "Chapter four, Part two, World War two"),
    ("Henry VIII, Louis XIV, John Paul II", "Henry the eighth, Louis the fourteenth, John Paul the second"),
    ("Elizabeth I of England", "Elizabeth the first of England"),
    ("Henry I think so, x, v, IV drip, MIX", "Henry I think so, x, v, IV drip, MIX"),
    # addresses
    ("Visit https://www.example.com/foo-bar?x=1.", "Visit w w w dot example dot com slash foo dash bar."),
    ("Go to example.com now", "Go to example dot com now"),
    ("Mail me@example-site.co.uk!", "Mail me at example dash site dot co dot uk!"),
    ("https://example.com/" + "a/" * 40, "example dot com"),
    ("main.py and node.js", "main dot py and node dot js"),
    ("192.168.0.1", "one hundred ninety-two dot one hundred sixty-eight dot zero dot one"),
    ("555-123-4567", "five five five, one two three, four five six seven"),
    ("(555) 123-4567", "five five five, one two three, four five six seven"),
    ("+1 415 555 0199", "plus one, four one five, five five five, zero one nine nine"),
    ("call 911", "call nine one one"),
    # letters with digits, signs
    ("GPT-4o, B2B, COVID-19, MP3, H2O", "GPT four o, B two B, COVID nineteen, MP three, H two O"),
    ("C++ and C#", "C plus plus and C sharp"),
    ("Tom & Jerry @ home", "Tom and Jerry at home"),
    ("#1 #topic", "number one hashtag topic"),
    ("a < b > c", "a less than b greater than c"),
    ("snake_case", "snake case"),
    ("my-site.org/foo-bar.", "my dash site dot org slash foo dash bar."),
    ("open 9:00–17:00", "open nine o'clock to seventeen hundred"),
    ("in the a.m. hours", "in the A.M. hours"),
    ("He lives on Rodeo Dr.", "He lives on Rodeo drive."),
    ("cats vs dogs", "cats versus dogs"),
    ("at the u.n. office", "at the U.N. office"),
    ("the U.S, too", "the U.S., too"),
    ("on 12/25", "on December twenty-fifth"),
    ("since 1215", "since twelve fifteen"),
    ("1€ and JPY 300", "one euro and three hundred yen"),
    ("1¢", "one cent"),
    ("5% and 0.5 %", "five percent and zero point five percent"),
    ("tel. 555-0199", "telephone five five five, zero one nine nine"),
    ("978-3-16-148410-0", "nine seven eight, three, one six, one four eight four one zero, zero"),
    ("$10/hr", "ten dollars per hour"),
    ("~5 people", "about five people"),
    ("the end.Next one", "the end. Next one"),
    ("word–word", "word, word"),
    ("a —, b", "a, b"),
    ("$1234567890123456", "one two three four five six seven eight nine zero one two three four five six dollars"),
    ("he/she", "he or she"),
    ("it’s “fine”—really - yes", 'it\'s "fine", really, yes'),
    ("wait… what", "wait... what"),
    ("ＡＢＣ １２３", "ABC one hundred twenty-three"),
]  # fmt: skip

MARKUP = [
    ("**Bold** and *it* and ***both***", "Bold and it and both"),
    ("__init__ and _so_", "init and so"),
    ("`code` ~~no~~", "code no"),
    ("# A title", "A title"),
    ("## A title ##", "A title"),
    ("> quoted", "quoted"),
    ("- one\n- two\n* three", "one, two, three"),
    ("- [ ] open\n- [x] done", "open, done"),
    ("1. First\n2) Second", "one, First, two, Second"),
    ("a [label](https://example.com/x_y(z)?a=b) b", "a label b"),
    ('a [label](https://example.com "title") b', "a label b"),
    ("![a picture](x.png)", "a picture"),
    ("a [label][ref] b", "a label b"),
    ("end of a label](https://example.com) b", "end of a label b"),
    ("<b>fat</b> <br/> <!-- no --> text", "fat, text"),
    ("<https://example.com>", "example dot com"),
    ("known.[1] More", "known. More"),
    ("| a | b |\n|---|---|\n| c | d |", "a, b, c, d"),
    ("over\n\n---\n\nunder", "over, under"),
    ("before\n```python\nx = 1\n```\nafter", "before, after"),
    ("before\n~~~\nx = 1\n", "before"),
    ("```one``` line", "one line"),
    (r"\*not bold\*", "not bold"),
    ("a &amp; b &lt; c &#65;", "a and b less than c A"),
    ("Title\n\nText.\nMore", "Title, Text. More"),
    ("Title\n=====\nText", "Title, Text"),
    ("A [link][ref].\n\n[ref]: https://example.com", "A link."),
]

EAST_ASIAN = [
    ("我花了$12.5。", "zh", "我花了12.5美元。"),
    ("价格是€20，不是￥300。", "zh", "价格是20欧元，不是300元。"),
    ("一共12,345.67元。", "zh", "一共12345.67元。"),
    ("他赚了$3亿。", "zh", "他赚了3亿美元。"),
    ("**重要**：请看[这里](https://example.com)。", "zh", "重要：请看这里。"),
    ("2024年5月3日15:30，25℃，50%。", "zh", "2024年5月3日15:30，25℃，50%。"),
    ("好的😀！\n再见。", "zh", "好的！ 再见。"),
    ("第一行\n第二行", "zh", "第一行，第二行"),
    ("！你好。", "zh", "你好。"),
    ("値段は$12.5です。", "ja", "値段は12.5ドルです。"),
    ("￥1,000を払う。", "ja", "1000円を払う。"),
    ("一行目です\nそして二行目", "ja", "一行目です、そして二行目"),
    ("가격은 $12.5입니다.", "ko", "가격은 십이점오달러입니다."),
    ("₩5,000입니다", "ko", "오천원입니다"),
    ("𠮷野家に行く。", "ja", "𠮷野家に行く。"),
    ("价格\\$5。", "zh", "价格5美元。"),
    ("请看<https://example.com>。", "zh", "请看https://example.com。"),
    ("甲\n---\n乙", "zh", "甲，乙"),
    ("~~不~~ _好_ `吗`**了**", "zh", "不 好 吗了"),
]

UNSPEAKABLE = [
    "", " ", "\n\t \n", "\x00", "\x00\x01\x02", "\ud800", "\udfff\ud800", "😀", "👩‍👩‍👧‍👦🏳️‍🌈👍🏽",
    "\u200b\u200c\u200d\ufeff",
    "\u202a\u202e\u2066\u2069", "...", "?!", "。！？", "“”", "---", "***", "```", "```\ncode\n```", "~~~\nmore code",
    "&&&", "$%^", "\ufffd", "\ue000", "\u0301\u0301", "|---|---|", "<br>", "&nbsp;", "\u2028\u2029",
    "（）「」", "￥", "→",
]  # fmt: skip

SOILED = [
    ("he\x00llo", "hello"),
    ("he\ud800llo", "hello"),
    ("hello\udc00", "hello"),
    ("a\u202eb\u202c", "ab"),
    ("so\u00adft", "soft"),
    ("zero\u200bwidth", "zerowidth"),
    ("Hello😀world", "Hello world"),
    ("Hi 👩‍👩‍👧‍👦!", "Hi!"),
    ("1️⃣ first", "one first"),
    ("cafe\u0301", "café"),
    ("a" + "\u0301" * 500, "á"),
    ("ﬁne", "fine"),
    ("a\u00a0b\u3000c", "a b c"),
    ("a\r\nb", "a, b"),
    ("٣ apples", "three apples"),
]

ATOMS = [
    *string.ascii_letters[::5], *"0123456789", *" \n\t.,!?;:-–—…'\"()[]<>{}|*_`~#>@&%$€£¥°=+/\\^²½",
    *"好はア안。！？“”「」😀",
    "\x00", "\ud800", "\u200b", "e\u0301", "Mr. ", "e.g. ", "5 p.m. ", "$1.2 million", "http://a.b/c ", "x@y.com ",
    "[a](b)", "```\n", "**", "1/2", "20°C", "May 5, ", "12:30", "1990s", "XIV", "Henry ", "No. 5", "U.S. ", "&amp;",
    "555-0199", "1,000", "v1.2.3", "2nd ", "10-20", "5kg", "| ", "\n\n", "- ",
]  # fmt: skip
TEXTS = st.one_of(st.text(max_size=200), st.lists(st.sampled_from(ATOMS), max_size=40).map("".join))


@pytest.mark.parametrize(("written", "said"), ENGLISH)
def test_english(written: str, said: str) -> None:
    spoken = normalize(written, "en")
    assert spoken.text == said
    assert normalize(spoken.text, "en").text == said, "what is words already stays as it is"


@pytest.mark.parametrize(("written", "said"), MARKUP)
def test_markup(written: str, said: str) -> None:
    assert normalize(written).text == said


@pytest.mark.parametrize(("written", "language", "said"), EAST_ASIAN)
def test_east_asian(written: str, language: str, said: str) -> None:
    spoken = normalize(written)
    assert (spoken.text, spoken.language) == (said, language)


@pytest.mark.parametrize("written", UNSPEAKABLE)
@pytest.mark.parametrize("language", ["auto", "en", "zh", "ja", "ko"])
def test_nothing_to_say(written: str, language: str) -> None:
    spoken = normalize(written, language)
    assert (spoken.text, spoken.spans) == ("", ())


@pytest.mark.parametrize(("written", "said"), SOILED)
def test_what_has_no_sound_goes(written: str, said: str) -> None:
    assert normalize(written).text == said


def test_a_text_without_letters_is_in_the_preferred_language() -> None:
    assert normalize("2024").text == "twenty twenty-four"
    assert normalize("2024", preferred="zh").text == "2024"
    assert normalize("東京", preferred="ja").language == "ja"
    assert normalize("東京").language == "zh"


def test_a_language_given_is_kept() -> None:
    assert normalize("5 Mayo", "es") == SpokenText("5 Mayo", "5 Mayo", "es", ((0, 1, 0, 1), (1, 2, 1, 2), (2, 6, 2, 6)))


def test_nested_entities_unfold_once() -> None:
    assert normalize("a &amp;lt; b").text == "a and lt; b"


# -- the map


@settings(max_examples=500, deadline=None, derandomize=True)
@given(TEXTS, st.sampled_from(["auto", "en", "zh", "ja", "ko"]))
def test_spans_cover_the_spoken_text_in_order(text: str, language: str) -> None:
    spoken = normalize(text, language)
    assert spoken.source == text
    spoken_at = source_at = 0
    for start, end, source_start, source_end in spoken.spans:
        assert start == spoken_at < end
        assert source_at <= source_start < source_end <= len(text)
        spoken_at, source_at = end, source_end
    assert spoken_at == len(spoken.text)
    assert bool(spoken.text) == bool(spoken.spans)
    assert not spoken.text or speakable(spoken.text)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(TEXTS, st.sampled_from(["auto", "en", "zh", "ja", "ko"]))
def test_spoken_text_is_clean_and_never_explodes(text: str, language: str) -> None:
    spoken = normalize(text, language).text
    assert len(spoken) <= 20 * len(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn") for char in spoken)
    assert spoken == spoken.strip()
    assert "  " not in spoken


@settings(max_examples=300, deadline=None, derandomize=True)
@given(TEXTS)
def test_english_leaves_no_digit_or_sign(text: str) -> None:
    spoken = normalize(text, "en").text
    assert not any(char in "0123456789$€£¥%&@#*_`~[]{}<>|\\" for char in spoken)


def pieces(written: str) -> list[tuple[str, str]]:
    """(spoken, written) of every piece but the spaces."""
    spoken = normalize(written)
    cut = [(spoken.text[a:b], written[c:d]) for a, b, c, d in spoken.spans]
    return [(said, source) for said, source in cut if not said.isspace()]


def test_spans_name_the_written_piece() -> None:
    assert pieces("Mr. Lee paid $3.50, at 5 p.m.") == [
        ("Mister", "Mr."),
        ("Lee", "Lee"),
        ("paid", "paid"),
        ("three dollars and fifty cents", "$3.50"),
        (",", ","),
        ("at", "at"),
        ("five P.M.", "5 p.m."),
    ]
    assert pieces("**Hello**, [my world](http://x.y) 😀 cafe\u0301") == [
        ("Hello", "Hello"),
        (",", ","),
        ("my", "my"),
        ("world", "world"),
        ("café", "cafe\u0301"),
    ]
    assert pieces("你好，$5。") == [("你", "你"), ("好", "好"), ("，", "，"), ("5美元", "$5"), ("。", "。")]
    assert pieces("안녕 세상") == [("안녕", "안녕"), ("세상", "세상")]


# -- cost

SLOW_CANDIDATES = [
    "9", "9 ", "1,", "1.", "a.", "-", "1-", "1:", "1/", "$1", "1%", "[", "[a](", "](", "<", "<a", "<!--", "`", "~~~\n",
    "$1-", "5\"", "½ ", "9–", "10^", "5-10k ", "Q1-", "№", "x^", "\\frac{", "$a", "1,00,", "10 000 ", "Ⅳ", "code is ",
    "*", "_a", " ", "\n", "  \n", "|", "#", ">", "&", "a@", "a@b.", "www.", "http://a.", "J. ", "Henry I ", "Jan 1",
    "5:00",
    "555-", "½", "e\u0301", "\u0301", "😀", "\x00", "好", "１，", "===", "\\", "(", "'", "1'", "x ", "a-",
]  # fmt: skip


@pytest.mark.parametrize("unit", SLOW_CANDIDATES)
def test_cost_grows_with_the_length_only(unit: str) -> None:
    """Four times the text takes about four times as long; a square would take sixteen."""

    def cost_s(length: int) -> float:
        text = "a " + (unit * length)[:length]

        def once() -> float:
            started_s = time.process_time()
            normalize(text, "en")
            return time.process_time() - started_s

        return min(once() for _ in range(2))

    assert cost_s(4096) < 10 * cost_s(1024) + 0.03


WORKERS = [
    "$1-",
    "A-",
    "5 km/",
    '"5',
    "5-10k ",
    "1493 to ",
    "code is 1234 ",
    "in 1999 ",
    "a 5 kg ",
    "Mon-",
    "x^",
    "½",
    "α",
]


@pytest.mark.parametrize("unit", WORKERS)
def test_the_work_of_the_rules_grows_with_the_length_only(unit: str) -> None:
    """Counted in calls, which are the same on every machine: four times the text makes about four times as many."""

    def calls(length: int) -> int:
        made = 0

        def count(frame: object, event: str, argument: object) -> None:
            nonlocal made
            made += event in ("call", "c_call")

        text = (unit * length)[:length]
        sys.setprofile(count)
        try:
            normalize(text, "en")
        finally:
            sys.setprofile(None)
        return made

    assert calls(4096) < 5 * calls(1024)


@pytest.mark.parametrize(
    "written", ["9" * 4096, "9 " * 2048, "½" * 4096, "a±" * 2048, "7°" * 2048, "1g " * 1365, "7" + "%" * 4095]
)
def test_no_text_explodes(written: str) -> None:
    assert len(normalize(written, "en").text) <= 20 * len(written)
