"""A text under rewriting keeps the places of what it was."""

from __future__ import annotations

import re

from vivavoce.text.mapped import MappedText


def test_replacements_stand_for_what_they_replaced() -> None:
    text = MappedText("I paid $5 to him")
    text.sub(re.compile(r"\$5"), "five dollars")
    assert text.text == "I paid five dollars to him"
    assert (7, 19, 7, 9) in text.spans()


def test_a_second_replacement_keeps_the_first_places() -> None:
    text = MappedText("a 12 b")
    text.sub(re.compile("12"), "dozen eggs")
    text.sub(re.compile("dozen"), "twelve")
    text.sub(re.compile("b"), "c")
    assert [(text.text[a:b], c, d) for a, b, c, d in text.spans()] == [
        ("a", 0, 1), (" ", 1, 2), ("twelve eggs", 2, 4), (" ", 4, 5), ("c", 5, 6)
    ]  # fmt: skip


def test_none_leaves_a_match_alone() -> None:
    text = MappedText("a b a")
    text.sub(re.compile("a"), lambda found: None if found.start() == 0 else "x")
    assert text.text == "a b x"


def test_keep_and_remove_leave_places_as_they_were() -> None:
    text = MappedText("[ab](cd) e")
    text.keep(re.compile(r"\[(\w+)\]\(\w+\)"))
    assert (text.text, text.spans()) == ("ab e", ((0, 2, 1, 3), (2, 3, 8, 9), (3, 4, 9, 10)))
    text.remove([(0, 1)])
    assert text.spans()[0] == (0, 1, 2, 3)


def test_rules_that_met_share_one_span() -> None:
    text = MappedText("abc")
    text.sub(re.compile("ab"), "xy")
    text.sub(re.compile("yc"), "zz")
    assert (text.text, text.spans()) == ("xzz", ((0, 3, 0, 3),))


def test_strip_and_map_chars() -> None:
    text = MappedText("  ab ")
    text.map_chars(lambda char: "" if char == "a" else char * 2)
    text.strip()
    assert (text.text, text.spans()) == ("bb", ((0, 2, 3, 4),))
