"""Where a key may stand, and what it is there."""

from __future__ import annotations

import base64

import pytest

from vivavoce.serving.credentials import Credential, credential_of


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer key"},
        {"authorization": "bearer   key "},
        {"x-api-key": "key"},
        {"xi-api-key": " key"},
        {"authorization": "Bearer ", "x-api-key": "key"},
        {"authorization": "Basic eDp5", "xi-api-key": "key"},
        {"api-key": "key"},
        {"authorization": "key"},
        {"authorization": "Token key"},
        {"x-api-key": "Bearer key"},
        {"authorization": "Bearer Bearer key"},
        {"authorization": "Bearer: key"},
        {"authorization": 'Bearer "key"'},
        {"ocp-apim-subscription-key": "key"},
        {"x-goog-api-key": "key"},
        {"authorization": "Basic " + base64.b64encode(b"anybody:key").decode()},
        {"authorization": "Basic " + base64.b64encode(b"key:").decode()},
        {"authorization": "basic " + base64.b64encode(b":key").decode()},
    ],
)
def test_a_key_may_stand_in_every_header_that_clients_use(headers: dict[str, str]) -> None:
    assert credential_of(headers) == Credential("key")


@pytest.mark.parametrize("offered", ["vivavoce.token.key", "openai-insecure-api-key.key"])
def test_a_browser_shows_it_among_the_subprotocols(offered: str) -> None:
    assert credential_of({}, ["realtime", offered, "other"]) == Credential("key")


@pytest.mark.parametrize(
    ("headers", "offered"),
    [
        ({}, []),
        ({"authorization": ""}, []),
        ({"authorization": "Bearer"}, []),
        ({"authorization": "Basic key"}, []),
        ({"authorization": "Basic ????"}, []),
        ({"authorization": "Basic " + base64.b64encode(b":").decode()}, []),
        ({"authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()}, []),
        ({"authorization": "Basic"}, []),
        ({"authorization": "Digest key"}, []),
        ({"authorization": "Bearer Bearer"}, []),
        ({"x-api-key": " "}, ["realtime", "openai-insecure-api-key."]),
        ({"cookie": "key"}, ["key"]),
    ],
)
def test_nothing_else_is_one(headers: dict[str, str], offered: list[str]) -> None:
    assert credential_of(headers, offered) is None


def test_a_token_is_one_wherever_it_stands() -> None:
    for headers in ({"authorization": "Bearer vvt_x"}, {"x-api-key": "vvt_x"}, {"xi-api-key": "ek_x"}):
        shown = credential_of(headers)
        assert shown is not None
        assert shown.is_token
    assert not Credential("a-key-vvt_").is_token


def test_it_is_not_shown_in_logs() -> None:
    assert "hush" not in repr(Credential("hush"))
