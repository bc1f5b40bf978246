"""An error in the shape its reader understands."""

from __future__ import annotations

from typing import Any

import pytest

from vivavoce.errors import Overloaded, TextTooLong, VoiceUnavailable
from vivavoce.serving.error_shapes import STATE, shaped


def scope(path: str = "/v1/audio/speech", agent: str = "curl/8", **state: str) -> dict[str, Any]:
    return {"path": path, "headers": [(b"user-agent", agent.encode())], "state": state}


@pytest.mark.parametrize(
    "asked",
    [
        scope("/models/heart"),
        scope(agent="@huggingface/inference/4.13.30"),
        scope(agent="unknown/None; hf_hub/2.4.0; python/3.11"),
        scope(**{STATE: "huggingface"}),
    ],
)
def test_hugging_faces_clients_want_a_sentence_and_no_503(asked: dict[str, Any]) -> None:
    assert shaped(TextTooLong(5, 4), asked)[1]["error"] == "the input has 5 characters; the limit is 4"
    assert shaped(Overloaded(), asked)[0] == 429
    assert shaped(VoiceUnavailable("gone"), asked)[0] == 424


@pytest.mark.parametrize(
    "asked", [scope("/v1/models/heart"), scope("/v1/cluster/auth"), scope(agent="python-requests/2")]
)
def test_xinferences_client_reads_detail(asked: dict[str, Any]) -> None:
    status, content = shaped(Overloaded("busy"), asked)
    assert (status, content["detail"], content["error"]["message"]) == (503, "busy", "busy")


@pytest.mark.parametrize("asked", [None, scope(), scope("/v1/audio/voices", "OpenAI/Python 3"), {"path": "/"}])
def test_all_others_get_openais_object(asked: dict[str, Any] | None) -> None:
    assert set(shaped(Overloaded(), asked)[1]) == {"error"}
