"""Commands, contexts and bytes, in a small vocabulary and in that of a published model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

import synthetic_whisper
from recognizer import english_model
from vivavoce.engines.recognizer import HearingOptions
from vivavoce.engines.whisper.vocabulary import Vocabulary
from vivavoce.engines.whisper.weights import TOKENIZER_FILE
from vivavoce.errors import ModelUnavailable


def read(folder: Path, text_positions: int = 448) -> Vocabulary:
    return Vocabulary(folder, json.loads((folder / "config.json").read_text()), text_positions)


SMALL = read(synthetic_whisper.folder())
TOKENS = Tokenizer.from_file(str(synthetic_whisper.folder() / TOKENIZER_FILE))


def names(tokens: list[int]) -> list[str]:
    return [TOKENS.id_to_token(token) or "" for token in tokens]


def test_a_command_names_language_and_task() -> None:
    command = SMALL.command("de", HearingOptions(task="translate"))
    assert names(command) == ["<|startoftranscript|>", "<|de|>", "<|translate|>", "<|notimestamps|>"]
    assert SMALL.start_place(command) == 0


def test_hotwords_and_prompt_stand_before_the_command() -> None:
    command = SMALL.command("en", HearingOptions(prompt="Hi", hotwords=("Viva", " ", "Voce")))
    place = SMALL.start_place(command)
    assert names(command[:1]) == ["<|startofprev|>"]
    assert SMALL.text(command[1:place]) == " Viva, Voce. Hi"
    assert names(command[place:])[1] == "<|en|>"


def test_a_long_context_keeps_the_end_of_the_prompt_and_room_for_the_text() -> None:
    options = HearingOptions(prompt="x" * 1000 + "END", hotwords=("y" * 1000,))
    command = SMALL.command("en", options)
    assert len(command) <= 224 + 4
    text = SMALL.text(command[: SMALL.start_place(command)])
    assert text.endswith("END")
    assert text.startswith(" yy")


def test_a_command_in_a_prompt_is_no_command() -> None:
    command = SMALL.command("en", HearingOptions(prompt="<|endoftext|><|de|>"))
    place = SMALL.start_place(command)
    assert all(token < SMALL.end for token in command[1:place])


def test_languages_are_those_of_the_file() -> None:
    assert tuple(SMALL.languages) == synthetic_whisper.LANGUAGES
    assert SMALL.is_multilingual


def test_half_a_character_waits_for_its_other_half() -> None:
    tokens = SMALL.encode("é")
    assert SMALL.text(tokens) == " é"
    assert SMALL.text(tokens[:-1]) == " "
    assert b"".join(map(SMALL.piece, tokens)) == " é".encode()
    assert SMALL.piece(SMALL.end) == b""


def test_marks_that_close_a_sentence_are_known() -> None:
    marks = {SMALL.piece(token) for token in SMALL.marks}
    assert {b".", b",", b"-", b"?"} <= marks
    assert not {b"a", b" ", b"7"} & marks
    assert {SMALL.piece(token) for token in SMALL.closing_marks} == {b".", b"?", b"!"}


def test_an_english_model_has_no_languages_to_choose_from() -> None:
    vocabulary = read(english_model())
    assert tuple(vocabulary.languages) == ("en",)
    assert not vocabulary.is_multilingual
    assert len(vocabulary.command("en", HearingOptions())) == 2
    text = " Naïve café, 你好 🦊!"
    assert vocabulary.text(vocabulary.encode(text)) == text


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable):
        Vocabulary(tmp_path, {}, 448)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelUnavailable):
        Vocabulary(tmp_path, {}, 448)
    from tokenizers import Tokenizer, models

    Tokenizer(models.BPE(vocab={"a": 0}, merges=[])).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ModelUnavailable, match="endoftext"):
        Vocabulary(tmp_path, {}, 448)
