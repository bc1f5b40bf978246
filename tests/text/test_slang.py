"""Words as people type them to each other."""

from __future__ import annotations

import pytest

from vivavoce.text.english.slang import shortened
from vivavoce.text.normalize import normalize


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("soooo", "so"), ("goooood", "good"), ("pleeeeaaase", "please"), ("hellllo", "hello"), ("allll", "all"),
        ("niiiice", "nice"), ("happyyyy", "happy"), ("AWESOMEEEE", "AWESOME"), ("sweeeet", "sweet"), ("Ohhhh", "Ooh"),
        ("eeeek", "eek"), ("ewwww", "eww"), ("hmmmmm", "hmm"), ("aaaa", "aah"), ("booooo", "boo"), ("freeee", "free"),
    ],
)  # fmt: skip
def test_drawn_out_words(typed: str, meant: str) -> None:
    assert shortened(typed) == meant


@pytest.mark.parametrize("kept", ["XXXL", "AAA", "www", "committee", "Mississippi", "@soooo", "soooo@x.org"])
def test_what_only_looks_drawn_out(kept: str) -> None:
    letters = [char for char in kept if char.isalpha()]
    assert [char for char in normalize(kept, "en").text.replace(" at ", "").replace("at ", "").replace(" dot ", "")
            if char.isalpha()] == letters  # fmt: skip


@pytest.mark.parametrize("kept", ["an M8 bolt", "B4 paper", "a pawn on b4", "e4 e5 b4", "THX sound"])
def test_names_stay_names(kept: str) -> None:
    said = normalize(kept, "en").text.split()
    assert not {"mate", "before", "thanks"} & set(said)


def test_a_word_without_end_is_read_in_linear_time_and_said() -> None:
    assert normalize("no" + "o" * 5000 + "!", "en").text == "no!"
    assert normalize("nooo" * 4000, "en").text  # of thousands of runs: as it was typed
