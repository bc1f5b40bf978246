"""Questions to recognition models elsewhere and their answers, and when a question is asked, hung up or asked again."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.parser import BytesParser
from typing import Any

import numpy as np
import pytest

from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import Heard, HearingOptions
from vivavoce.errors import HostedModelBusy, HostedModelFailed
from vivavoce.hosted.asking import Question
from vivavoce.hosted.ears import HostedEar, declared_ears
from vivavoce.hosted.hearing import heard_answer, hearing_question
from vivavoce.hosted.hearing_work import HostedHearer, HostedWork
from vivavoce.machine.scheduler import WHEN_THERE_IS_ROOM

SECOND = np.full(16_000, 0.25, np.float32)
NOW = 1.0  # a deadline that is none of "when there is room"


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


# -- when it is asked


class Elsewhere:
    """Answers when the test says so: the number of samples it heard."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.hung_up = 0
        self.error: Exception | None = None
        self.may_answer = asyncio.Event()

    async def ask(self, sound: Samples, options: HearingOptions) -> Heard:
        self.asked.append(len(sound))
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.hung_up += 1
            raise
        if self.error is not None:
            raise self.error
        return Heard(str(len(sound)), is_whole=True, is_final=False, language="en")


class Books:
    """A place that keeps no books."""

    def measured(self, kind: object, core_s: float, real_s: float) -> None:
        assert core_s == 0.0


@asynccontextmanager
async def working() -> AsyncIterator[tuple[Elsewhere, HostedWork, asyncio.Event]]:
    there, woken = Elsewhere(), asyncio.Event()
    async with HostedHearer.opened("desk", there.ask) as hearer:
        yield there, hearer.begin(HearingOptions(), Books(), woken.set, live=True), woken  # type: ignore[arg-type]


async def turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_draft_that_was_right_is_the_result_and_asked_once() -> None:
    async with working() as (there, work, woken):
        work.hear(SECOND, "draft", NOW)
        await turn()
        work.hear(SECOND[:0], "end", NOW)
        there.may_answer.set()
        await woken.wait()
        assert [(h.text, h.is_final) for h in work.take()] == [("16000", True)]
        assert there.asked == [16_000]


async def test_a_draft_that_was_answered_before_the_end_came() -> None:
    async with working() as (there, work, woken):
        there.may_answer.set()
        work.hear(SECOND, "draft", NOW)
        await woken.wait()
        assert [(h.text, h.is_final) for h in work.take()] == [("16000", False)]
        work.hear(SECOND[:0], "end", NOW)
        assert [(h.text, h.is_final) for h in work.take()] == [("16000", True)]
        assert there.asked == [16_000]


async def test_speech_that_goes_on_hangs_up_the_draft() -> None:
    async with working() as (there, work, woken):
        work.hear(SECOND, "draft", NOW)
        await turn()
        work.hear(SECOND, "end", NOW)
        await turn()
        there.may_answer.set()
        await woken.wait()
        assert [h.text for h in work.take()] == ["32000"]
        assert (there.asked, there.hung_up) == ([16_000, 32_000], 1)


async def test_a_glance_asks_nothing() -> None:
    async with working() as (there, work, _):
        work.hear(SECOND, "draft", WHEN_THERE_IS_ROOM)
        await turn()
        assert there.asked == []
        assert not work.is_idle(), "so nobody asks for more of them"


async def test_a_draft_that_failed_is_asked_again_when_it_matters() -> None:
    async with working() as (there, work, woken):
        there.error = HostedModelBusy("busy")
        there.may_answer.set()
        work.hear(SECOND, "draft", NOW)
        await turn()
        assert work.take() == []
        there.error = None
        work.hear(SECOND[:0], "end", NOW)
        await woken.wait()
        assert [h.is_final for h in work.take()] == [True]
        assert there.asked == [16_000, 16_000]


@pytest.mark.parametrize("error", [HostedModelBusy("busy"), KeyError("odd")])
async def test_a_failure_at_the_end_is_told(error: Exception) -> None:
    async with working() as (there, work, woken):
        there.error = error
        there.may_answer.set()
        work.hear(SECOND, "end", NOW)
        await woken.wait()
        with pytest.raises(HostedModelFailed):
            work.take()


async def test_leaving_hangs_up() -> None:
    async with working() as (there, work, _):
        work.hear(SECOND, "end", NOW)
        await turn()
    assert there.hung_up == 1
    async with working() as (there, work, _):
        work.hear(SECOND, "end", NOW)
        await turn()
        work.close()
        work.close()
        await turn()
        assert there.hung_up == 1
