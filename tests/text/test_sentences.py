"""The splitter: where it cuts, when it speaks up, and that cutting the input differently changes nothing."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.text.sentences import Sentence, SentenceSplitter

# Written with | where a cut belongs. A first clause is not cut off here; `FIRST_CLAUSE` has those.
CUTS = [
    # abbreviations and titles
    "Mr. Lee paid $3.50 at 5 p.m.",
    "Mr. Lee paid $3.50 at 5 p.m. |Then he left.",
    "Mrs. Hall and Prof. Ito met Gen. Wu. |All smiled.",
    "Smith vs. Jones is on. |Come and watch.",
    "She works at Acme Inc. |She likes it.",
    "Acme Inc. announced it. |Nice work.",
    "I like apples, pears, etc. |They are good.",
    "Bring pens, paper, etc. to class. |Be early.",
    "That costs approx. 5 dollars. |Cheap enough.",
    "Mt. Everest is high. |St. Paul is not.",
    "He lives on Main St. |His house is red.",
    "See e.g. v2.0.1 for details. |It works.",
    "He got 98.6 points, i.e. more than you. |Wow, cool.",
    "We met on Jan. 5, 2024. |It rained.",
    "No. 5 is alive. |He said no. |That was it.",
    "See Fig. 3 for that. |Look at p. 12 too.",
    "He has a Ph.D. in physics. |He teaches.",
    "The U.K. and the U.S. agreed. |They signed.",
    "He lives in the U.S. |He likes it.",
    "The U.S. Army came. |People cheered.",
    "The max. speed is 60 and the min. age is 18. |Drive on.",
    "The avg. temp. is 20, incl. nights. |It is warm.",
    "The temp. is 20 deg. today. |It is warm.",
    "A song feat. somebody is out. |Hear it.",
    "On Mon. and Tues. we rest. |Then we work.",
    "The est. cost incl. tax of approx. 3 tbsp. of oil is low. |Buy it.",
    "Mix 2 tbsp. of oil with it. |Then stir.",
    "They met in Rome, and Cpl. Jones spoke. |All listened.",
    "Ask Pvt. Ryan or Insp. Lee about it. |They know.",
    "He is 6 ft. tall and 180 lbs. heavy. |She is not.",
    "We need a std. size pkg. for it. |Buy one.",
    "It cost 5 kr. per piece. |That is cheap.",
    "We reached the max. |Then we stopped.",
    "I watch tv. |Then I sleep.",
    "i like it hmm. |well it is fine.",
    # initials
    "J. R. R. Tolkien wrote it. |I read it.",
    "J.R.R. Tolkien wrote it. |I read it.",
    "George W. Bush met Tony Blair. |They talked.",
    "The great J. A. Smith was here. |So was I.",
    "We met J. (Jay) Smith. |He left.",
    "It says (J. Smith wrote it). |Good.",
    "That was plan B. |I went on.",
    "That was plan B. |Yes.",
    "It is model 5B. |Next came 6C.",
    "We meet at 5p.m. on Monday. |Bye now.",
    "Call at 5 p.m. EST today. |Bye now.",
    "Bring pens, etc. |I like them.",
    "He said no. |i left.",
    "Acme Inc. *and* Sons. |Yes.",
    "他在Acme Inc. 工作。|很好。",
    'The form says "Mr." |Then a name.',
    "He lives in the U.S. |It's big.",
    "He works at Acme Inc. |(She does too.)",
    "That was plan B. |We went on.",
    "It was I. |He saw me.",
    # numbers, prices, dates, times, versions
    "The price is $3.50. |It was $1,200.75 before.",
    "It grew by 3.5 percent. |Good news.",
    "Meet at 10:30 a.m. on Monday. |Be there.",
    "Call me at 5 p.m. Eastern time. |Bye now.",
    "The shop opens at 9 a.m. |Tickets are free.",
    "On 12.05.2024 it rained. |On 13.05.2024 too.",
    "Take Python 3.11.4 for it. |Not 2.7.",
    "Version 3. |It is out.",
    "He left at 5. |She stayed on.",
    "At 192.168.0.1 nothing runs. |Try again.",
    # addresses
    "Visit https://example.com/a?b=c.d for more. |Thanks a lot.",
    "See https://example.com/a?b=c. |Next one!",
    "Go to www.example.com. |It is free.",
    "Write to me@example.com. |I answer fast.",
    "The file main.py is here. |Open it.",
    # ellipses and runs of marks
    "Wait... what happened? |Nothing.",
    "I was thinking... |Maybe not today.",
    "Well… maybe. |Well… |Yes!",
    "Well... I think so. |Yes.",
    "What?! |no way. |None.",
    "Really?! |What now?",
    "Stop!!! |What is it?",
    # quotes, brackets, emphasis
    'He said "Stop." |Then he ran.',
    '"Is it true?" she asked. |"Yes!"',
    "“Is it true?” she asked. |“Yes!”",
    "(This is inside.) |This is not.",
    "[Done so far.] |More to come.",
    "*Well done.* |Keep going now.",
    "**Well done!** |Keep going now.",
    "Use `ls -la`. |Then read.",
    "That is known.[1] |This is not.[23]",
    "Great job!😀 |Next one here.",
    "Great job! |😀 Next one here.",
    # lists
    "1. Open the door. |2. Walk in. |3. Sit down.",
    "1. First item |2. Second item |3. Third item",
    "1. First item\n|2. Second item\n|3. Third item",
    "1.打开门。|2.走进去。",
    "Go:\n12. Open the door. |Run.",
    "Go:\n  12. Open the door. |Run.",
    "1. Go away. |2. Run. |3. Sit down.",
    "1. I have got 7. |You have 9.",
    "Three marks are ``` here.\n|That one.",
    "~~Not~~ this one.\n|That one.",
    "- First point here. |More on it.",
    "* One thing\n|* Another thing",
    # lines
    "Hello\n|world is big",
    "A title\n\n|A text begins. |It ends.",
    "Windows line\r\n|Another line",
    "Old line\r|Another line",
    "Hello there. |\n\nNext one.",
    # short pieces join their neighbour
    "Hi. How are you? |I am fine.",
    "Yes. No. |Perhaps. |Who knows?",
    "嗯。一定会的。",
    "OK. 好的。",
    # Chinese
    "今天天气很好，我们去公园吧。|好的，走吧！",
    "走吧！",
    "“走吧！”",
    "“走吧！”|他说。|“好的。”|她答。",
    "他说：“你好。”|然后走了。",
    "价格是3.50元。|便宜吗？|很便宜！",
    "版本2.0.1发布了。|请更新。",
    "请访问https://example.com/路径。|谢谢你。",
    "我……我不知道。|真的吗？",
    "（这是括号里的话。）|这是外面的话。",
    "《你好。》|这本书很好看。",
    '他说"你好。"|然后走了。',
    "我用GPT-4o写代码。|It works well. |很好用。",
    "Hello there! |你好吗？|我很好。",
    "Hello there!|你好吗？",
    "Hello there!|“你好吗？”",
    # Japanese
    "今日はいい天気ですね。|散歩に行きましょう。",
    "「はい！」と彼は言った。|そして笑った。",
    "「走れ！」って言った。|そして走った。",
    "『本当？』|彼女は聞いた。",
    "「そうです。|そうですね。」|それだけ。",
    "東京、大阪、京都に行きました。|楽しかったです。",
    "ｿｳﾃﾞｽ｡|ﾜｶﾘﾏｼﾀ｡",
    "３．５キロ走りました。|疲れた。",
    # Korean
    "오늘은 2024. 5. 3. 금요일입니다. |내일은 쉽니다.",
    "2024. 12. 25.부터 쉽니다. |네.",
    "그해는 2024. |그리고 끝났다.",
    "It was in 2024. |5 people came. |All left.",
    '그는 "괜찮아."라고 말했다. |그리고 갔다.',
    '"정말?"이라고 물었다. |그리고 갔다.',
    "안녕하세요. |저는 학생입니다. |반갑습니다!",
    "가격은 3.5만 원입니다. |비싸요?",
    '"좋아요." |그가 말했다. |그리고 웃었다.',
    "글쎄요... 잘 모르겠어요. |나중에 봐요.",
    "Dr. Kim은 의사입니다. |친절해요.",
    # other scripts, no marks at all
    "Что это такое? |Это книга.",
    "text without any mark at all",
    "没有标点的文字",
]

FIRST_CLAUSE = [
    "The first clause is long, |the second too, and more. |After it, a comma, nothing.",
    "今天天气很好，|我们去公园吧。|后来，下雨了，真的。",
    "きょうは、|いい天気ですね、本当に。|そうですね、本当に。",
    "오늘은 날씨가 좋아서, |산책을 했어요. |그리고, 집에 왔어요.",
    "Well, yes, of course, |I will come.",  # three words make a clause, one does not
    "好，我们走吧，|快点，好吗。",
    "On the day of May 5, 2024, |we met.",  # no cut inside the date
    "It costs me about 1,000 dollars, |or more.",
    "He said to us (you know, him, the man) that it was, |well, fine.",
    "Meet me at half past, |or 10:30.",
    "Here is what we need: |bread and milk.",
    "The first word comes; |the second follows.",
    "The list is one,two and then, |three.",
    "我们一共有50，|好吗。",
    "The first two were, |10 and 20.",
    "这是第3，4，5章的内容，|请看。",
    "“我们一起去吧，好吗？”|他说。",  # nor inside a quotation
]

FRAGMENTS = [
    *"aAIx1509 .,!?…;:-\n\r\t\"'()[]“”‘’「」。！？，、好はㄱ안😀`~*_#>|@/\\$%&\u3000\u200b",
    "Mr. ", "Dr. Lee ", "e.g. ", "5 p.m. ", "U.S. ", "No. 5", "J. R. ", "1. ", "2. ", "$3.50", "https://a.b/c?d=e. ",
    "www.example.com", "me@example.com", "```\n", "```py\ncode. more\n", "~~~\n", "\n\n", "...", "……", "！」", "”と",
    "。”", "Hello there. ", "How are you? ", "你好吗？", "走吧！", "「はい」", "안녕하세요. ", "word " * 30, "字" * 40,
    "x" * 150, "etc. The ", "Inc. ", "[1] ",
]  # fmt: skip
TEXTS = st.one_of(st.text(max_size=300), st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join))


def split(text: str, *cuts: int, first_fragment: bool = False) -> list[Sentence]:
    """Feed the text in pieces cut at `cuts`."""
    splitter = SentenceSplitter(first_fragment=first_fragment)
    places = [0, *sorted(cuts), len(text)]
    given = [s for a, b in pairwise(places) for s in splitter.feed(text[a:b])]
    return [*given, *splitter.flush()]


@pytest.mark.parametrize("marked", CUTS)
def test_cuts_where_a_reader_would(marked: str) -> None:
    text = marked.replace("|", "")
    assert [s.text for s in split(text)] == marked.split("|")
    assert split(text, *range(len(text))) == split(text)


@pytest.mark.parametrize("marked", FIRST_CLAUSE)
def test_first_clause_starts_the_sound_early(marked: str) -> None:
    text = marked.replace("|", "")
    sentences = split(text, first_fragment=True)
    assert [s.text for s in sentences] == marked.split("|")
    assert split(text, *range(len(text)), first_fragment=True) == sentences


def test_first_clause_is_marked_as_one() -> None:
    sentences = split("The first clause is long, the rest is not. The end.", first_fragment=True)
    assert [s.ending for s in sentences] == ["clause", "sentence", "sentence"]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(TEXTS, st.lists(st.integers(0, 2000), max_size=12), st.booleans())
def test_same_sentences_however_the_text_is_cut(text: str, cuts: list[int], first: bool) -> None:
    whole = split(text, first_fragment=first)
    assert split(text, *(cut % (len(text) + 1) for cut in cuts), first_fragment=first) == whole
    assert split(text, *range(len(text)), first_fragment=first) == whole


@settings(max_examples=300, deadline=None, derandomize=True)
@given(TEXTS, st.lists(st.integers(0, 2000), max_size=6))
def test_sentences_joined_are_the_text(text: str, flushes: list[int]) -> None:
    """Also when it is flushed in the middle, anywhere."""
    splitter = SentenceSplitter()
    sentences: list[Sentence] = []
    places = [0, *sorted(cut % (len(text) + 1) for cut in flushes), len(text)]
    for a, b in pairwise(places):
        sentences += [*splitter.feed(text[a:b]), *splitter.flush()]
    assert "".join(s.text for s in sentences) == text
    assert all(s.text for s in sentences)
    assert [s.index for s in sentences] == list(range(len(sentences)))
    for sentence in sentences:
        assert text[sentence.start : sentence.start + len(sentence.text)] == sentence.text


# -- when it speaks up


def test_wide_comma_needs_no_look_ahead() -> None:
    assert [s.text for s in SentenceSplitter().feed("今天天气很好，")] == ["今天天气很好，"]


@pytest.mark.parametrize("text", ["今天很好。", "走吧！", "真的吗？", "はい。", "ｿｳﾃﾞｽ｡", "Very well。", "“走吧！”"])
def test_wide_marks_need_no_look_ahead(text: str) -> None:
    assert [s.text for s in SentenceSplitter().feed(text)] == [text]


def test_wide_mark_in_an_open_quote_waits_for_its_closing_mark() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("“走吧！") == []
    assert [s.text for s in splitter.feed("”")] == ["“走吧！”"]
    assert [s.text for s in splitter.feed("他说。")] == ["他说。"], "the quotation is closed"
    assert splitter.feed("“好的。") == []
    assert [s.text for s in splitter.feed("不")] == ["“好的。"]


@pytest.mark.parametrize("mark", ".!?")
def test_latin_marks_need_one_character(mark: str) -> None:
    splitter = SentenceSplitter()
    assert splitter.feed(f"It is done{mark}") == []
    assert [s.text for s in splitter.feed(" ")] == [f"It is done{mark} "]


def test_a_number_may_still_come_after_a_full_stop() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("It costs $3.") == []
    assert splitter.feed("5") == []
    assert [s.text for s in splitter.feed("0. ")] == ["It costs $3.50. "]


def test_the_word_after_an_abbreviation_is_waited_for() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("We meet at 5 p.m. Th") == []
    assert [s.text for s in splitter.feed("e ")] == ["We meet at 5 p.m. "]


def test_one_character_tells_a_line_from_a_paragraph() -> None:
    assert [s.ending for s in SentenceSplitter().feed("Hello there\nw")] == ["sentence"]
    assert [s.ending for s in SentenceSplitter().feed("Hello there\n\nw")] == ["paragraph"]
    assert [s.ending for s in SentenceSplitter().feed("Hello there.\n\nw")] == ["paragraph"]
    assert [s.ending for s in SentenceSplitter().feed("Hello there\r\nw")] == ["sentence"]
    assert [s.ending for s in SentenceSplitter().feed("Hello there\r\n\r\nw")] == ["paragraph"]


def test_flush_gives_everything_and_more_may_come() -> None:
    splitter = SentenceSplitter()
    assert [(s.text, s.start, s.index) for s in [*splitter.feed("Hello wor"), *splitter.flush()]] == [
        ("Hello wor", 0, 0)
    ]
    assert [(s.text, s.start, s.index) for s in [*splitter.feed("ld. Bye"), *splitter.flush()]] == [("ld. Bye", 9, 1)]
    assert splitter.flush() == []


def test_a_heading_is_not_merged_over_a_blank_line() -> None:
    assert [s.text for s in split("FAQ\n\nHow are you?")] == ["FAQ\n\n", "How are you?"]


# -- too long


def test_long_latin_text_is_cut_at_a_comma() -> None:
    text = "word " * 20 + "word, " + "word " * 25
    sentences = split(text)
    assert sentences[0].text == "word " * 20 + "word, "
    assert sentences[0].ending == "clause"


def test_long_latin_text_without_commas_is_cut_at_a_space() -> None:
    sentences = split("wordy " * 100)
    assert all(s.text.endswith(" ") for s in sentences)
    assert all(150 < len(s.text) <= 200 for s in sentences[:-1])


def test_an_early_comma_is_a_bad_place_to_cut() -> None:
    assert len(split("Oh well, " + "wordy " * 60)[0].text) > 150


def test_long_wide_text_is_cut_at_60() -> None:
    assert [len(s.text) for s in split("好" * 150)] == [60, 60, 30]
    assert [s.text for s in split("好" * 40 + "，" + "好" * 40)] == ["好" * 40 + "，", "好" * 40]
    assert all(s.text.endswith("한국말 ") and len(s.text) <= 80 for s in split("한국말 " * 40))


def test_a_long_word_is_cut_hard() -> None:
    assert [len(s.text) for s in split("x" * 450)] == [200, 200, 50]


@pytest.mark.parametrize("pair", ["5 kilometres", "Mr. Winterbottom", "$1.2 million"])
def test_the_cap_keeps_together_what_belongs_together(pair: str) -> None:
    for lead in range(170, 200):
        text = ("word " * 40)[:lead].rstrip() + f" {pair} and so on"
        assert any(pair in s.text for s in split(text))


def test_the_cap_cuts_between_figures_if_it_must() -> None:
    assert all(s.text.endswith(" ") for s in split("12 " * 100))


def test_the_cap_cuts_at_an_ellipsis_but_not_before_a_closing_mark() -> None:
    assert [s.text for s in split("好" * 40 + "……" + "好" * 40)] == ["好" * 40 + "……", "好" * 40]
    assert not split("“" + "好" * 40 + "……”" + "好" * 40)[0].text.endswith("…")


def test_marks_at_the_cap_stay_but_not_for_ever() -> None:
    assert [s.text for s in split("x" * 200 + "!")] == ["x" * 200 + "!"]
    assert all(len(s.text) <= 301 for s in split("(" * 2000))


def test_an_endless_address_is_cut_after_all() -> None:
    assert max(len(s.text) for s in split("https://" + "a" * 5000)) == 2000


def test_a_long_address_stays_whole() -> None:
    address = "https://example.com/" + "a" * 300
    assert any(address in s.text for s in split(f"See {address} for it."))


# -- code


CODE = "Here is the code:\n\n```python\nprint('a. b')\nx = 1. \n\n```\n\nThat was it. Done now."


def test_a_block_of_code_is_one_unspoken_sentence() -> None:
    sentences = split(CODE)
    assert [s.text for s in sentences if not s.spoken] == ["```python\nprint('a. b')\nx = 1. \n\n```\n"]
    assert [s.text.strip() for s in sentences if s.spoken] == ["Here is the code:", "That was it.", "Done now."]
    assert split(CODE, *range(len(CODE))) == sentences


@pytest.mark.parametrize("block", ["~~~\na\n~~~\n", "````\n```\na\n```\n````\n", "   ```\na. b\n   ```\n"])
def test_all_kinds_of_fences(block: str) -> None:
    sentences = split(f"Before it.\n{block}After it.")
    assert [s.spoken for s in sentences] == [True, False, True]
    assert sentences[1].text.strip() == block.strip()


def test_unclosed_code_is_never_spoken() -> None:
    splitter = SentenceSplitter()
    sentences = [*splitter.feed("See here.\n```\nfoo. bar\n"), *splitter.flush(), *splitter.feed("more. code\n")]
    sentences += [*splitter.feed("```\nAnd out."), *splitter.flush()]
    assert [(s.text, s.spoken) for s in sentences] == [
        ("See here.\n", True),
        ("```\nfoo. bar\n", False),
        ("more. code\n```\n", False),
        ("And out.", True),
    ]


def test_inline_code_is_no_fence() -> None:
    assert [s.spoken for s in split("```ls``` lists files. ``x`` too.\nAnd more.")] == [True, True, True]


@pytest.mark.parametrize("piece", [1, 7, 70, 900])
def test_a_very_long_fence_does_not_depend_on_the_cuts(piece: int) -> None:
    text = "`" * 800 + "\ncode\n" + "`" * 800 + "\nAnd more."
    splitter = SentenceSplitter()
    sentences = [s for at in range(0, len(text), piece) for s in splitter.feed(text[at : at + piece])]
    assert [*sentences, *splitter.flush()] == split(text)
    assert [s.text for s in split(text) if s.spoken] == ["And more."]


def test_blank_lines_before_code_belong_to_it() -> None:
    assert [s.text for s in split("\n\n\n```\ncode\n```\n")] == ["\n\n\n```\ncode\n```\n"]


def test_a_short_word_before_code_is_still_said() -> None:
    assert [(s.text, s.spoken) for s in split("Hi\n```\ncode\n```\n")] == [("Hi\n", True), ("```\ncode\n```\n", False)]


def test_code_starts_no_hurry_where_none_was_asked_for() -> None:
    assert len(split("```\ncode\n```\nThe first clause is long, the second too.", first_fragment=False)) == 2


def test_code_does_not_use_up_the_first_clause() -> None:
    sentences = split("```\ncode\n```\nThe first clause is long, the second too.", first_fragment=True)
    assert [s.ending for s in sentences] == ["paragraph", "clause", "sentence"]


# -- cost


@pytest.mark.parametrize(
    "unit",
    ["a", ".", "a. ", "好", "。", "“", "\n", " ", "`", "~~~\n", "1. ", "J. ", "a, ", "“好。", "😀", "(", "http:"],
)
def test_cost_grows_with_the_length_only(unit: str) -> None:
    """Four times the text, one character at a time, takes about four times as long; a square would take sixteen."""

    def cost_s(length: int) -> float:
        text = (unit * length)[:length]

        def once() -> float:
            splitter = SentenceSplitter()
            started_s = time.process_time()
            for char in text:
                splitter.feed(char)
            splitter.flush()
            return time.process_time() - started_s

        return min(once() for _ in range(2))

    assert cost_s(6000) < 10 * cost_s(1500) + 0.05
