"""Sentences as phonemes: mixed languages, marks, words, missing data, threads, and what the import leaves alone."""

from __future__ import annotations

import hashlib
import json
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Replace
from tokenizers.pre_tokenizers import Split
from tokenizers.processors import TemplateProcessing

from genie_text_data import text_data
from vivavoce.engines.genie.reading.genie_data import PULL_COMMAND, GenieData
from vivavoce.engines.genie.reading.genie_modules import KOREAN_COMMAND
from vivavoce.engines.genie.reading.phonemes import PhonemeFrontEnd, Phonemes
from vivavoce.engines.genie.reading.symbols import symbol_ids
from vivavoce.errors import EmptyInput, InvalidRequest, UnspeakableText, VoiceUnavailable
from vivavoce.text.mapped import MappedText
from vivavoce.text.normalize import SpokenText, normalize


@pytest.fixture(scope="module")
def front_end() -> PhonemeFrontEnd:
    return PhonemeFrontEnd(text_data())


@pytest.fixture
def no_data(tmp_path: Path) -> PhonemeFrontEnd:
    """Nothing but genie_tts and what it brings."""
    return PhonemeFrontEnd(GenieData(tmp_path / "nowhere", packages=False))


def symbols(phonemes: Phonemes) -> str:
    names = list(symbol_ids())
    return " ".join(names[number] for number in phonemes.ids[0])


def words(text: str, phonemes: Phonemes) -> list[tuple[str, str]]:
    """(written, its symbols) of each word."""
    named = symbols(phonemes).split()
    return [(text[start:end], " ".join(named[first:last])) for first, last, start, end in phonemes.words]


# -- the table -----------------------------------------------------------------------------------------------------


def test_symbol_table_is_the_one_voices_were_trained_on() -> None:
    ids = symbol_ids()

    assert len(ids) == 732
    anchors = {"!": 0, ",": 1, "-": 2, ".": 3, "?": 4, "UNK": 86, "_": 95, "…": 321, "[": 322, "]": 323, "ㄱ": 324}
    assert {symbol: ids[symbol] for symbol in anchors} == anchors
    assert hashlib.sha256("\n".join(ids).encode()).hexdigest().startswith("0771f6cd6f6201e8")


# -- mixed sentences -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("A股上涨了。", "zh", "EY1 g u3 sh ang4 zh ang3 l e5 ."),
        ("我用GPT-4o写代码。", "zh", "w o3 y ong4 JH IY1 P IY1 T IY1 F AO1 R OW1 x ie3 d ai4 m a3 ."),
        ("用iPhone 15拍照。", "zh", "y ong4 AY1 F OW2 N sh ir2 w u3 p ai1 zh ao4 ."),
        ("这里don't担心。", "zh", "zh e4 l i3 D OW1 N T d an1 x in1 ."),
        ("Hello, 你好！", "en", "HH AH0 L OW1 , n i2 h ao3 !"),
        ("これはOpenAIです。", "ja", "k o [ r e w a OW1 P AH0 N EY1 AY1 d e ] s u ."),
    ],
)
def test_each_run_is_read_in_its_own_language(
    front_end: PhonemeFrontEnd, text: str, language: str, expected: str
) -> None:
    phonemes = front_end.phonemize(text, language, prompt=True)

    assert symbols(phonemes) == expected
    assert phonemes.language == language


@pytest.mark.parametrize(
    ("text", "language"), [("Good morning to you.", "en"), ("今天天气很好。", "zh"), ("今日はいい天気。", "ja")]
)
def test_auto_tells_the_language_by_its_script(front_end: PhonemeFrontEnd, text: str, language: str) -> None:
    assert front_end.phonemize(text).language == language
    assert np.array_equal(front_end.phonemize(text).ids, front_end.phonemize(text, language).ids)


def test_region_and_old_names_of_languages(front_end: PhonemeFrontEnd) -> None:
    assert front_end.phonemize("你好吗？", "zh-CN").language == "zh"
    assert front_end.phonemize("こんにちは。", "jp").language == "ja"


# -- marks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "leading"),
    [
        ("嗯，一定会来的。", True),  # a first clause of fewer than 4 characters
        ("当然可以，没问题。", False),
        ("Hi, how are you today?", True),
        ("Hello there, how are you?", False),
        ("3.14 is a number.", False),  # the point is no end of a clause
        ("「はい」と言った。", False),
        ("…そうですか。", False),  # begins with a mark
        ("あああ。", True),  # fewer than 6 symbols
    ],
)
def test_a_mark_goes_before_very_short_beginnings_only(front_end: PhonemeFrontEnd, text: str, leading: bool) -> None:
    as_target, as_prompt = front_end.phonemize(text), front_end.phonemize(text, prompt=True)

    assert symbols(as_target) == (". " if leading else "") + symbols(as_prompt)


@pytest.mark.parametrize(
    ("text", "prompt", "end"),
    [
        ("没有句号", False, "."),
        ("Without an end", True, "."),
        ("It goes on,", False, ","),
        ("It goes on,", True, ", ."),
    ],
)
def test_text_ends_with_a_mark(front_end: PhonemeFrontEnd, text: str, prompt: bool, end: str) -> None:
    assert symbols(front_end.phonemize(text, prompt=prompt)).endswith(f"1 {end}".removeprefix("1"))
    assert not symbols(front_end.phonemize(text, prompt=prompt)).endswith(f". {end}")


# -- words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Mr. Lee pays $5, okay?",
            [
                ("Mr.", "M IH1 S T ER0"),
                ("Lee", "L IY1"),
                ("pays", "P EY1 Z"),
                ("$5", "F AY1 V"),
                ("$5", "D AA1 L ER0 Z"),
                ("okay", "OW2 K EY1"),
            ],
        ),
        (
            "你好，我是OpenAI。",
            [("你好", "n i2 h ao3"), ("我", "w o3"), ("是", "sh ir4"), ("OpenAI", "OW1 P AH0 N EY1 AY1")],
        ),
        ("請問，多少？", [("請問", "q ing3 w en4"), ("多少", "d uo1 sh ao5")]),
        ("猫が、好き。", [("猫", "n e ] k o"), ("が", "g a"), ("好き", "s u [ k i")]),
        ("共12个。", [("共", "g ong4"), ("12个", "sh ir2 EE er4 g e5")]),
    ],
)
def test_words_know_their_phonemes_and_where_they_are_written(
    front_end: PhonemeFrontEnd, text: str, expected: list[tuple[str, str]]
) -> None:
    assert words(text, front_end.phonemize(text)) == expected


# -- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "   ", "……", "。", "😀", "!?", "\n", "（）"])
def test_nothing_to_say(front_end: PhonemeFrontEnd, text: str) -> None:
    with pytest.raises(EmptyInput):
        front_end.phonemize(text)


@pytest.mark.parametrize("text", ["Привет", "שלום", "สวัสดี"])
def test_a_script_nobody_reads(front_end: PhonemeFrontEnd, text: str) -> None:
    with pytest.raises(UnspeakableText, match="voice 'mika' cannot speak this text; it speaks: ja, en, zh"):
        front_end.phonemize(text, voice="mika")


def test_an_unknown_language_is_refused(front_end: PhonemeFrontEnd) -> None:
    with pytest.raises(UnspeakableText):
        front_end.phonemize("bonjour", "fr")


def test_a_script_nobody_reads_is_left_out_of_a_sentence(front_end: PhonemeFrontEnd) -> None:
    assert words("你好 Привет", front_end.phonemize("你好 Привет", "zh")) == [("你好", "n i2 h ao3")]


def test_korean_without_its_packages_names_the_command(
    front_end: PhonemeFrontEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without("mecab", monkeypatch)

    assert KOREAN_COMMAND in front_end.problems["ko"]
    with pytest.raises(VoiceUnavailable, match="Korean needs the package mecab"):
        front_end.phonemize("안녕하세요")


def test_an_explosion_of_sounds_is_refused(front_end: PhonemeFrontEnd, monkeypatch: pytest.MonkeyPatch) -> None:
    exploded = SpokenText("9", "nine " * 2000, "en", ((0, 10_000, 0, 1),))
    monkeypatch.setattr("vivavoce.engines.genie.reading.spoken_runs.normalize", lambda text, language: exploded)

    with pytest.raises(InvalidRequest, match="1 characters become 6001 sounds"):
        front_end.phonemize("9", "en")


# -- missing data --------------------------------------------------------------------------------------------------


def _without(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{PhonemeFrontEnd.__module__}._is_installed", lambda package: package != missing)


def test_japanese_and_korean_need_no_data_the_others_name_the_command(no_data: PhonemeFrontEnd) -> None:
    assert no_data.languages == ("ja", "ko")
    assert symbols(no_data.phonemize("こんにちは。")) == "k o [ N n i ch i w a ."
    for language, text in (("en", "Hello there."), ("zh", "今天很好。")):
        assert PULL_COMMAND in no_data.problems[language]
        with pytest.raises(VoiceUnavailable, match=PULL_COMMAND):
            no_data.phonemize(text, language)
        with pytest.raises(VoiceUnavailable, match=PULL_COMMAND):
            no_data.warm_up(language)


def test_english_speaks_from_packages_alone(tmp_path: Path) -> None:
    alone = PhonemeFrontEnd(tmp_path)

    assert alone.languages == ("ja", "en", "ko")
    assert symbols(alone.phonemize("Somebody left the window open.")) == (
        "S AH1 M B AA2 D IY0 L EH1 F T DH AH0 W IH1 N D OW0 OW1 P AH0 N ."
    )


def test_what_is_missing_is_left_out_with_one_warning(
    no_data: PhonemeFrontEnd, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without("mecab", monkeypatch)

    with caplog.at_level(logging.WARNING):
        assert symbols(no_data.phonemize("ＡはHelloです。")) == "e ] i w a h a ] r o o d e ] s u ."  # read by Japanese
        for _ in range(2):
            no_data.phonemize("これは 안녕 です。", "ja")

    assert [record.message for record in caplog.records if "안녕" in record.message] == []  # never the text itself
    assert len(caplog.records) == 1
    assert "Korean needs the package mecab" in caplog.text


def test_data_may_arrive_while_the_server_runs(tmp_path: Path) -> None:
    front_end = PhonemeFrontEnd(tmp_path / "GenieData")
    assert "zh" not in front_end.languages
    (tmp_path / "GenieData").symlink_to(text_data())

    assert "zh" in front_end.languages
    assert symbols(front_end.phonemize("今天很好。")) == "j in1 t ian1 h en2 h ao3 ."


def test_a_damaged_table_is_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "G2P/ChineseG2P"
    folder.mkdir(parents=True)
    (folder / "opencpop-strict.txt").write_text("a\tAA a\n")
    (folder / "polyphonic.pickle").write_bytes(b"cos\nsystem\n.")

    with pytest.raises(VoiceUnavailable, match=PULL_COMMAND):
        PhonemeFrontEnd(tmp_path).phonemize("今天很好。")


# -- features ------------------------------------------------------------------------------------------------------


def test_features_are_zeros_without_the_model(front_end: PhonemeFrontEnd) -> None:
    phonemes = front_end.phonemize("今天很好。")

    assert phonemes.bert.shape == (phonemes.ids.shape[1], 1024)
    assert phonemes.bert.dtype == np.float32
    assert not phonemes.bert.any()


def test_features_stand_on_the_phonemes_of_their_characters(tmp_path: Path) -> None:
    (tmp_path / "G2P").symlink_to(text_data() / "G2P")
    _write_roberta(tmp_path / "RoBERTa", "今天很好。.,啊你")
    front_end = PhonemeFrontEnd(tmp_path)

    bert = front_end.phonemize("今天Hello很好。", "zh").bert
    tokens = bert[:, 0].tolist()  # the stand-in writes the number of its token everywhere
    assert tokens == [3, 3, 4, 4, 0, 0, 0, 0, 5, 5, 6, 6, 8]  # two a character, none for Hello, one for the mark

    unknown = front_end.phonemize("他很好。", "zh").bert  # the stand-in drops 他: fewer tokens than characters
    assert not unknown.any()


def _write_roberta(folder: Path, characters: str) -> None:
    """A tokenizer of single characters between two marks, and a graph that repeats token numbers."""
    folder.mkdir()
    vocabulary = {name: number for number, name in enumerate(["[UNK]", "[CLS]", "[SEP]", *characters])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = Replace("他", "")
    tokenizer.pre_tokenizer = Split("", "isolated")
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    (folder / "roberta_tokenizer").mkdir()
    tokenizer.save(str(folder / "roberta_tokenizer" / "tokenizer.json"))

    def constant(name: str, values: object) -> TensorProto:
        return numpy_helper.from_array(np.array(values, np.int64), name)

    nodes = [  # row of repeat j: how many of the running sums are at most j
        helper.make_node("Slice", ["input_ids", "one", "minus_one", "one"], ["inner"]),
        helper.make_node("CumSum", ["repeats", "axis"], ["sums"]),
        helper.make_node("ReduceSum", ["repeats", "zero"], ["total"], keepdims=0),
        helper.make_node("Range", ["axis", "total", "step"], ["places"]),
        helper.make_node("Unsqueeze", ["sums", "one"], ["column"]),
        helper.make_node("LessOrEqual", ["column", "places"], ["passed"]),
        helper.make_node("Cast", ["passed"], ["counted"], to=TensorProto.INT64),
        helper.make_node("ReduceSum", ["counted", "zero"], ["rows"], keepdims=0),
        helper.make_node("Gather", ["inner", "rows"], ["numbers"], axis=1),
        helper.make_node("Cast", ["numbers"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["upright"]),
        helper.make_node("Expand", ["upright", "width"], ["features"]),
        helper.make_node("Identity", ["attention_mask"], ["unused"]),
    ]
    graph = helper.make_graph(
        nodes,
        "roberta_stand_in",
        [
            helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "tokens"]),
            helper.make_tensor_value_info("attention_mask", TensorProto.INT64, [1, "tokens"]),
            helper.make_tensor_value_info("repeats", TensorProto.INT64, ["characters"]),
        ],
        [
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["symbols", 1024]),
            helper.make_tensor_value_info("unused", TensorProto.INT64, [1, "tokens"]),
        ],
        [
            constant("one", [1]),
            constant("minus_one", [-1]),
            constant("zero", [0]),
            constant("axis", 0),
            constant("step", 1),
            constant("width", [1, 1024]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, folder / "RoBERTa.onnx")


# -- threads and the process ---------------------------------------------------------------------------------------


def test_threads_get_what_one_thread_gets(front_end: PhonemeFrontEnd) -> None:
    texts = [
        f"{text}{number}"
        for number in range(12)
        for text in ("今天很好，", "その方は何を", "Somebody left the window ")
    ]
    alone = [front_end.phonemize(text).ids.tolist() for text in texts]

    with ThreadPoolExecutor(4) as pool:
        together = [phonemes.ids.tolist() for phonemes in pool.map(front_end.phonemize, texts)]
    assert together == alone


def test_warming_up_leaves_the_process_alone(tmp_path: Path) -> None:
    """In a fresh process, with an empty standard input: no question, no download, no logging set up, no files."""
    script = """
import json, logging, os, sys, warnings
before = (dict(os.environ), os.getcwd(), list(warnings.filters), logging.root.level)
from pathlib import Path
from vivavoce.engines.genie.reading.phonemes import PhonemeFrontEnd
front_end = PhonemeFrontEnd(Path(sys.argv[1]))
before_loading = list(warnings.filters)
for language in front_end.languages:
    front_end.warm_up(language)
print(json.dumps({
    "environment": dict(os.environ) == before[0], "folder": os.getcwd() == before[1],
    "filters": warnings.filters == before_loading, "handlers": len(logging.root.handlers),
    "level": logging.root.level == before[3], "genie": "genie_tts" in sys.modules, "nltk": "nltk" in sys.modules,
    "hidden": sys.modules.get("pkg_resources", 0) is None, "torch": "torch" in sys.modules,
}))
"""
    result = subprocess.run(
        [sys.executable, "-c", script, str(text_data())],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
        timeout=60,
    )

    assert json.loads(result.stdout) == {
        "environment": True,
        "folder": True,
        "filters": True,
        "handlers": 0,
        "level": True,
        "genie": False,
        "nltk": False,
        "hidden": False,
        "torch": False,
    }
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("请拨打400-800-1234。", "请拨打四零零,八零零,幺二三四."),
        ("比例1:10", "比例一比十"),
        ("速度60km/h", "速度六十千米每小时"),
        ("体重100kg", "体重一百千克"),
        ("身高1.8m", "身高一点八米"),
        ("温度是–5度", "温度是零下五度"),
    ],
)
def test_chinese_figures_are_read_to_the_end(front_end: PhonemeFrontEnd, written: str, read: str) -> None:
    spoken = MappedText.of(normalize(written, "zh").text)
    assert front_end.front_end("zh").read(spoken).clean == read
