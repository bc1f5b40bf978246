"""No text crashes a front end, and whatever it says is in the table and inside the text."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from genie_text_data import text_data
from vivavoce.engines.genie.reading.phonemes import PhonemeFrontEnd
from vivavoce.errors import EmptyInput, UnspeakableText, VoiceUnavailable

TROUBLE = list("嗯呣不一儿了着过子们个上下来去的地得第，。！？…—-~'’. 　\n〇々ーっンッ％%$,0129౫Ａaß𠮷ㄱ가Ж")

texts = (
    st.text(st.sampled_from(TROUBLE), max_size=20)
    | st.text(max_size=30)
    | st.text(st.characters(min_codepoint=0x3000, max_codepoint=0x9FFF), max_size=20)
)


@pytest.fixture(scope="module")
def front_end() -> PhonemeFrontEnd:
    front_end = PhonemeFrontEnd(text_data())
    for language in front_end.languages:
        front_end.warm_up(language)
    return front_end


@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(text=texts, language=st.sampled_from(["auto", "ja", "en", "zh"]), prompt=st.booleans())
@example("౫౫", "zh", False)
@example("嗯" * 30, "zh", False)
@example("一儿儿儿不不一一", "zh", True)
@example("9" * 3000, "zh", False)
@example("9" * 3000, "ja", False)
@example("x" * 500, "en", False)
@example("あ" * 1500, "ja", False)
@example("ーーーっっ", "ja", False)
@example("\x00\ud7ff\uffff", "auto", False)
def test_any_text_is_read_or_refused(front_end: PhonemeFrontEnd, text: str, language: str, prompt: bool) -> None:
    with contextlib.suppress(EmptyInput, UnspeakableText, VoiceUnavailable):  # any other exception fails the test
        phonemes = front_end.phonemize(text, language, prompt=prompt)

        count = phonemes.ids.shape[1]
        assert phonemes.ids.shape == (1, count)
        assert 0 <= phonemes.ids.min() <= phonemes.ids.max() <= 731
        assert phonemes.bert.shape == (count, 1024)
        assert phonemes.words
        end_before = 0
        for first, end, start, stop in phonemes.words:
            assert end_before <= first < end <= count
            assert 0 <= start < stop <= len(text)
            end_before = end
