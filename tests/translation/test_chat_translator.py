"""A chat model that translates, and all the ways in which it does not."""

from __future__ import annotations

import json

import httpx
import pytest

from chat_stand_in import ChatStandIn, chunk
from vivavoce.errors import HostedModelFailed, HostedModelTimeout, VivaVoceError
from vivavoce.hosted.chat import HostedChat
from vivavoce.translation.chat_translator import BESIDES, LONGER, MOST_LINES, ChatTranslator

DONE = chunk(finish="stop")
LINES = ["Good morning.", "How are you?"]


def translator(stand_in: ChatStandIn, **options: float) -> ChatTranslator:
    return ChatTranslator(HostedChat("http://chat.test/v1", "brain", transport=stand_in), **options)


async def test_lines_are_asked_for_together_and_keep_their_places() -> None:
    answer = json.dumps(["Bom dia.", "Como vai?"])
    stand_in = ChatStandIn([chunk("Sure! "), chunk(answer[:9]), chunk(answer[9:]), chunk("\nDone."), DONE])
    assert await translator(stand_in).translate(LINES, "en", "pt") == ["Bom dia.", "Como vai?"]
    (asked,) = stand_in.asked
    assert "from english into portuguese" in asked["messages"][0]["content"]
    assert json.loads(asked["messages"][1]["content"]) == LINES
    assert asked["max_tokens"] <= BESIDES + LONGER * 100


@pytest.mark.parametrize("answer", ["Bom dia.", '["Bom dia."]', '["Bom dia.", 3]', '["Bom dia.", ""]', "[" * 150])
async def test_an_answer_that_is_none_is_asked_for_line_by_line(answer: str) -> None:
    stand_in = ChatStandIn([chunk(answer[:150]), DONE])
    assert await translator(stand_in).translate(LINES, "en", "pt") == [answer[:150].strip()] * 2
    assert [each["messages"][1]["content"] for each in stand_in.asked[1:]] == LINES


async def test_a_long_recording_is_several_questions() -> None:
    stand_in = ChatStandIn([chunk(json.dumps(["x"] * MOST_LINES)), DONE])
    assert await translator(stand_in).translate(["y"] * 2 * MOST_LINES, "en", "pt") == ["x"] * 2 * MOST_LINES
    assert len(stand_in.asked) == 2


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ([chunk(" "), DONE], HostedModelFailed),
        ([chunk("la " * 2000), DONE], HostedModelFailed),
        ([chunk("Bom"), chunk(finish="length")], HostedModelFailed),
        ([httpx.ConnectError("no")], HostedModelFailed),
        ([chunk("Bom"), 5.0, chunk(" dia"), DONE], HostedModelTimeout),
    ],
)
async def test_what_is_no_translation_is_an_error(
    parts: list[bytes | float | Exception], error: type[VivaVoceError]
) -> None:
    stand_in = ChatStandIn(parts)
    with pytest.raises(error):
        await translator(stand_in, within_s=0.2).translate(["Good morning."], "en", "pt")
