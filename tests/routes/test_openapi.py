"""The OpenAPI document is served, true, and nothing that fits it (or nearly does) makes the server fail."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok

from fake_engine import FakeEngine
from live_server import LiveServer, live_server

ERROR_FIELDS = {"message", "type", "param", "code"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder: Path = tmp_path_factory.mktemp("data")
    # Steps of one sample: generated text may be long, and speech is not what is tested here.
    engine = FakeEngine(voices=("alpha", "beta"), missing=("gone",), step_samples=1)
    with live_server([engine], data_dir=folder, cache_dir=folder / "cache", preload=False) as live:
        yield live


@pytest.fixture(scope="module")
def document(server: LiveServer) -> dict[str, Any]:
    response = httpx.get(server.url + "/openapi.json")
    assert response.status_code == 200
    answered: dict[str, Any] = response.json()
    return answered


OPERATIONS = 16  # fewer would mean that the document has shrunk, or that the walk over it has stopped early


def test_no_request_makes_the_server_fail(server: LiveServer) -> None:
    """Schemathesis fills in every operation; no answer is a 500, and every refusal has the one form of all errors.

    503 and 504 are answers: a voice whose files are missing is one of those that can be asked for.
    """
    statuses: defaultdict[str, set[int]] = defaultdict(set)

    def check(operation: Any, case: Any) -> None:
        response = case.call(timeout=20)
        statuses[operation.path].add(response.status_code)
        assert response.status_code != 500, case.as_curl_command()
        if response.status_code >= 400 and operation.path != "/readyz":
            if operation.path.startswith("/models/"):  # Hugging Face's clients want a sentence there
                assert isinstance(response.json()["error"], str)
            else:
                assert set(response.json()["error"]) == ERROR_FIELDS

    def try_operation(operation: Any) -> None:
        @given(case=operation.as_strategy())
        @settings(
            max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
        )
        def try_case(case: Any) -> None:
            check(operation, case)
            if operation.path == "/v1/audio/speech" and isinstance(case.body, dict):
                case.body |= {"model": "tts-1", "voice": "alpha", "response_format": "pcm"}  # names it hardly guesses
                check(operation, case)
                case.body |= {"voice": "nobody"}
                check(operation, case)

        try_case()

    schemathesis.serializer.alias("application/sdp", "text/plain")
    schema = schemathesis.openapi.from_url(server.url + "/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    for operation in operations:
        try_operation(operation)
    assert len(operations) >= OPERATIONS
    assert {200, 400, 404} <= statuses["/v1/audio/speech"]


def test_the_document_names_every_route(document: dict[str, Any]) -> None:
    expected = {"/v1/audio/speech", "/v1/audio/voices", "/v1/models", "/health", "/livez", "/readyz", "/metrics"}
    assert expected <= set(document["paths"])
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], f"{method} {path} has no summary"


def test_the_document_describes_the_speech_body(document: dict[str, Any]) -> None:
    speech = document["paths"]["/v1/audio/speech"]["post"]
    reference = speech["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert reference == "#/components/schemas/SpeechBody"
    body = document["components"]["schemas"]["SpeechBody"]
    assert body["required"] == ["input"]
    assert {"model", "voice", "response_format", "speed", "stream_format", "instructions"} <= set(body["properties"])
    assert body["properties"]["speed"]["minimum"] == 0.25
    assert body["properties"]["input"]["maxLength"] == 4096
    assert {"200", "400", "401", "404", "413", "429", "503"} <= set(speech["responses"])


def test_every_reference_of_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            yield from (v for k, v in value.items() if k == "$ref" and isinstance(v, str))
            for child in value.values():
                yield from references(child)
        elif isinstance(value, list):
            for child in value:
                yield from references(child)

    found = set(references(document))
    assert found
    for reference in found:
        at: Any = document
        for key in reference.removeprefix("#/").split("/"):
            at = at[key]


def test_the_documentation_page_runs_nothing_from_elsewhere(server: LiveServer) -> None:
    page = httpx.get(server.url + "/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src 'self';" in page.headers["content-security-policy"]
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert loaded
    for address in loaded:
        assert address.startswith("/")
        assert httpx.get(server.url + address).status_code == 200
    assert not re.search(r"<script(?![^>]*\ssrc=)", page.text)
    assert "/openapi.json" in httpx.get(server.url + "/page/docs.js").text


@pytest.mark.parametrize("path", ["/", "/docs", "/page/index.html", "/page/docs.html"])
def test_every_page_has_a_policy(server: LiveServer, path: str) -> None:
    assert "content-security-policy" in httpx.get(server.url + path).headers
