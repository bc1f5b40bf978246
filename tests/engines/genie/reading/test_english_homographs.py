"""The four words of two sounds, in sentences whose sound is certain."""

from __future__ import annotations

import pytest

from vivavoce.engines.genie.reading.english_homographs import homograph


@pytest.mark.parametrize(
    ("sentence", "sounds"),
    [
        ("i have READ it", "R EH1 D"),
        ("it was READ aloud", "R EH1 D"),
        ("she READ it yesterday", "R EH1 D"),
        ("he'd READ everything", "R EH1 D"),
        ("please READ this", "R IY1 D"),
        ("i want to READ", "R IY1 D"),
        ("you can READ it", "R IY1 D"),
        ("they LEAD the way", "L IY1 D"),
        ("in the LEAD", "L IY1 D"),
        ("an old LEAD pipe", "L EH1 D"),
        ("made of LEAD", "L EH1 D"),
        ("a COMPLEX problem", "K AH0 M P L EH1 K S"),
        ("it is COMPLEX", "K AH0 M P L EH1 K S"),
        ("very COMPLEX", "K AH0 M P L EH1 K S"),
        ("a housing COMPLEX", "K AA1 M P L EH0 K S"),
        ("the COMPLEX was sold", "K AA1 M P L EH0 K S"),
        ("she PRESENTS the news", "P R IY0 Z EH1 N T S"),
        ("anna PRESENTS her work", "P R IY0 Z EH1 N T S"),
        ("we bought PRESENTS", "P R EH1 Z AH0 N T S"),
        ("the PRESENTS are here", "P R EH1 Z AH0 N T S"),
        ("an ORDINARY word", None),
    ],
)
def test_neighbours_decide(sentence: str, sounds: str | None) -> None:
    words = ["", *sentence.split(), ""]
    at = next(index for index, word in enumerate(words) if word.isupper())

    assert homograph(words[at].lower(), words[at - 1], words[at + 1]) == sounds
