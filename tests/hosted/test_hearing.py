"""Questions to recognition models elsewhere, and their answers."""

from __future__ import annotations

import base64
import io
import json
import wave
from email.parser import BytesParser
from typing import Any

import numpy as np
import pytest

from vivavoce.engines.recognizer import HearingOptions
from vivavoce.errors import HostedModelFailed
from vivavoce.hosted.asking import Question
from vivavoce.hosted.ears import HostedEar, declared_ears
from vivavoce.hosted.hearing import heard_answer, hearing_question

SECOND = np.full(16_000, 0.25, np.float32)


def ear(entry: str = "desk=openai http://10.0.0.5:7860/v1 model=m words=yes translate=yes") -> HostedEar:
    return declared_ears((entry,), {"10.0.0.5:7860": "secret", "router.huggingface.co": "hf"})[0]


def form(question: Question) -> dict[str, Any]:
    message = BytesParser().parsebytes(f"Content-Type: {question.media_type}\r\n\r\n".encode() + question.body)
    parts = message.get_payload()
    assert isinstance(parts, list)
    return {str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True) for part in parts}  # type: ignore[union-attr]


def test_what_is_declared() -> None:
    desk = ear()
    assert desk.target.url == "http://10.0.0.5:7860/v1/audio/transcriptions"
    assert desk.translating.url == "http://10.0.0.5:7860/v1/audio/translations"
    assert (desk.token, desk.words, desk.info.translates) == ("secret", True, True)
    assert "secret" not in repr(desk)
    assert {"en", "zh", "pt"} < set(desk.info.languages)
    hub = ear("w=huggingface openai/whisper-large-v3 language=en+German")
    assert hub.target.url == "https://router.huggingface.co/hf-inference/models/openai/whisper-large-v3"
    assert hub.info.languages == ("en", "de")
    assert hub.token == "hf"


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("Desk=openai http://x/v1", "small letters"),
        ("desk=whisper http://x/v1", "`huggingface` or `openai`"),
        ("desk=openai ftp://x", "begins with http"),
        ("desk=openai http://user@x/v1", "without a user name"),
        ("desk=openai http://x:port/v1", "no URL"),
        ("desk=openai http://x/v1 language=klingon", "klingon"),
        ("desk=openai http://x/v1 language=en+auto", "named"),
        ("desk=openai http://x/v1 words=perhaps", "yes or no"),
        ("desk=openai http://x/v1 voice=mika", "unknown field 'voice'"),
        ("desk=huggingface a/b translate=yes", "like OpenAI's"),
        ("desk=huggingface ../b", "desk"),
    ],
)
def test_what_is_written_wrongly_is_said(entry: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        declared_ears((entry,), {})


def test_two_of_a_name() -> None:
    with pytest.raises(ValueError, match="share a name"):
        declared_ears(("a=openai http://x/v1", "a=openai http://y/v1"), {})


def test_a_form_with_everything() -> None:
    options = HearingOptions(
        language="de", prompt='Grüße "und"\nZeilen', hotwords=("Viva", "Voce"), temperature=0.5, word_times=True
    )
    sent = form(hearing_question(ear(), SECOND, options))
    assert sent["model"] == b"m"
    assert sent["language"] == b"de"
    assert sent["prompt"].decode() == 'Grüße "und"\nZeilen Viva, Voce'
    assert sent["temperature"] == b"0.5"
    assert sent["response_format"] == b"verbose_json"
    assert sent["timestamp_granularities[]"] == b"word"
    with wave.open(io.BytesIO(sent["file"])) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (16_000, 1, 16_000)


def test_a_form_with_little() -> None:
    sent = form(hearing_question(ear("d=openai http://x/v1"), SECOND, HearingOptions(word_times=True)))
    assert sent.keys() == {"model", "response_format", "file"}
    assert sent["response_format"] == b"json"
    translated = form(hearing_question(ear(), SECOND, HearingOptions(task="translate", language="de")))
    assert "language" not in translated, "a translation's route knows none"


def test_a_very_short_sound_is_made_long_enough() -> None:
    sent = form(hearing_question(ear(), SECOND[:100], HearingOptions()))
    with wave.open(io.BytesIO(sent["file"])) as file:
        assert file.getnframes() == 4_000


def test_hugging_face_gets_the_bare_file_or_base64() -> None:
    hub = ear("w=huggingface openai/whisper-large-v3 words=yes")
    bare = hearing_question(hub, SECOND, HearingOptions())
    assert (bare.media_type, bare.body[:4]) == ("audio/wav", b"RIFF")
    timed = json.loads(hearing_question(hub, SECOND, HearingOptions(word_times=True)).body)
    assert base64.b64decode(timed["inputs"]) == bare.body
    assert timed["parameters"] == {"return_timestamps": "word"}


@pytest.mark.parametrize(
    "answer",
    [
        {
            "text": " Hello, there. Bye!",
            "language": "english",
            "words": [
                {"word": "Hello", "start": 0, "end": 0.4},
                {"word": "there", "start": 0.5, "end": 0.9},
                {"word": "Bye", "start": 1.2, "end": 9.0},
            ],
        },
        {
            "text": " Hello, there. Bye!",
            "chunks": [
                {"text": " Hello,", "timestamp": [0.0, 0.4]},
                {"text": " there.", "timestamp": [0.5, 0.9]},
                {"text": " Bye!", "timestamp": [1.2, 1.4]},
            ],
        },
    ],
)
def test_words_join_to_the_text(answer: dict[str, Any]) -> None:
    heard = heard_answer(ear(), answer, HearingOptions(word_times=True), 2.0)
    assert heard.text == "Hello, there. Bye!"
    assert "".join(word.text for word in heard.words) == heard.text
    assert [word.start_s for word in heard.words] == [0.0, 0.5, 1.2]
    assert heard.words[-1].end_s <= 2.0
    assert heard.language == "en"


def test_words_without_blanks_between_them() -> None:
    listed = [{"word": "你好", "start": 0.0, "end": 0.5}, {"word": "世界", "start": 0.5, "end": 1.0}]
    heard = heard_answer(ear(), {"text": "你好，世界。", "words": listed}, HearingOptions(word_times=True), 1.0)
    assert [word.text for word in heard.words] == ["你好，", "世界。"]
    assert heard.language == "zh", "told by the script, where nobody says it"


@pytest.mark.parametrize(
    "listed",
    [
        "words",
        [],
        [{"word": "other", "start": 0.0, "end": 0.1}],
        [{"word": "hello", "start": float("nan"), "end": 0.1}],
        [{"word": "hello", "start": "0", "end": 0.1}],
        [{"word": "", "start": 0.0, "end": 0.1}],
        [{"text": "hello", "timestamp": [0.0, None]}],
        [{"word": "hello", "start": 0.0, "end": 0.1}] * 5000,
    ],
)
def test_odd_times_are_no_times(listed: Any) -> None:
    heard = heard_answer(ear(), {"text": "hello", "words": listed}, HearingOptions(word_times=True), 1.0)
    assert (heard.text, heard.words) == ("hello", ())


@pytest.mark.parametrize("answer", [None, [], {}, {"text": 3}, {"text": "x" * 30_000}])
def test_an_answer_without_text_is_the_models_fault(answer: Any) -> None:
    with pytest.raises(HostedModelFailed):
        heard_answer(ear(), answer, HearingOptions(), 1.0)
