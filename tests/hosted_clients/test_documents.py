"""The API document's example of a picture, read by the extra that it needs."""

from __future__ import annotations

import httpx

from fake_engine import FakeEngine
from live_server import live_server


def test_the_example_picture_is_read() -> None:
    path = "/v1/hosted/image-to-text"
    with live_server([FakeEngine()]) as server:
        document = httpx.get(server.url + "/openapi.json").json()
        content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        answer = httpx.post(server.url + path, json=content["examples"]["here"]["value"], timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.json()[0]["generated_text"].split() == ["GOOD", "MORNING"]
