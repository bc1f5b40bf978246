"""A short text that becomes a very long one when it is read out is refused before any work is done."""

from __future__ import annotations

import time

import pytest

from vivavoce.errors import SpokenTextTooLong, TextTooLong
from vivavoce.text.limits import refuse_explosive, spoken_length, written_length
from vivavoce.text.normalize import normalize

LIMIT = 3 * 4096


def test_four_thousand_digits_are_refused() -> None:
    with pytest.raises(SpokenTextTooLong) as caught:
        refuse_explosive("9" * 4000, LIMIT)
    error = caught.value
    assert isinstance(error, TextTooLong)
    assert (error.status, error.code, error.param) == (400, "string_above_max_length", "input")
    assert str(LIMIT) in str(error)
    assert "999" not in str(error)


@pytest.mark.parametrize(
    "text", ["a" * 4096, "In 1999 it cost $3.50. " * 170, "今天是2024年5月3日。" * 400, "+1 415 555 0199"]
)
def test_honest_text_passes(text: str) -> None:
    refuse_explosive(text[:4096], LIMIT)


@pytest.mark.parametrize("text", ["9" * 4000, "number 12345678901234567890 it is", "no digits"])
def test_the_estimate_holds_for_long_numbers(text: str) -> None:
    assert spoken_length(text) == pytest.approx(len(normalize(text, "en").text), rel=0.25)


def test_the_digits_of_all_long_numbers_count() -> None:
    with pytest.raises(SpokenTextTooLong):
        refuse_explosive("٣" * 4000, LIMIT)
    with pytest.raises(SpokenTextTooLong):
        refuse_explosive("123456789 " * 400, LIMIT)


def test_accents_belong_to_their_letters() -> None:
    assert written_length("abc", 10) == 3
    assert written_length("e\u0301" * 3000, 4096) == 3000
    assert written_length("\u1112\u1161\u11ab" * 2000, 4096) == 2000
    assert written_length("e\u0301" * 5000, 4096) == 5000
    assert written_length("\u0301" * 60_000, 4096) == 60_000
    assert written_length("a" + "\u0301" * 16_000, 4096) > 4096


@pytest.mark.parametrize("language", ["en", "zh", "ja", "ko"])
@pytest.mark.parametrize("piece", ["7", "1-", "A1", "℃-"])
def test_eight_times_the_text_takes_about_eight_times_the_work(language: str, piece: str) -> None:
    def work(length: int) -> float:
        text = (piece * length)[:length]
        times = []
        for _ in range(2):
            begun = time.process_time()
            normalize(text, language)
            times.append(time.process_time() - begun)
        return min(times)

    assert work(16_000) < 24 * max(work(2000), 0.005), "not linear: the square would be 64 times"
