"""Keys for browsers: bound to a session, for a while, and not too many."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.realtime import ClientSecretCreateResponse

from vivavoce.errors import ProtocolError, RateLimited
from vivavoce.protocols.realtime.client_secrets import ClientSecrets, read_request, write_answer
from vivavoce.protocols.realtime.session_config import SessionConfig

DEFAULT = SessionConfig(model="assistant")


def test_a_key_opens_the_session_it_was_made_for_until_it_expires() -> None:
    config, life_s = read_request(
        {"expires_after": {"anchor": "created_at", "seconds": 60}, "session": {"instructions": "Be kind."}}, DEFAULT
    )
    known = ClientSecrets()
    known.check("owner", now=100.0)
    known.remember("ek_1", "owner", config, 100.0 + life_s)
    found = known.config_of("ek_1", now=159.9)
    assert found is not None
    assert found.instructions == "Be kind."
    for wrong, now in (("ek_1", 160.0), ("ek_10", 101.0), ("ek_", 101.0), ("\ud800", 101.0)):
        assert known.config_of(wrong, now) is None


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"session": []}, None),
        ({"session": 7}, "session"),
        ({"session": {"type": "x"}}, "session.type"),
        ({"expires_after": 7}, "expires_after"),
        ({"expires_after": {"anchor": "yesterday"}}, "expires_after.anchor"),
        ({"expires_after": {"seconds": 9}}, "expires_after.seconds"),
        ({"expires_after": {"seconds": 0}}, "expires_after.seconds"),
        ({"expires_after": {"seconds": 7201}}, "expires_after.seconds"),
    ],
)
def test_what_cannot_be_is_refused(body: dict[str, Any], param: str | None) -> None:
    if param is None:
        assert read_request(body, DEFAULT) == (DEFAULT, 600)
        return
    with pytest.raises(ProtocolError) as refused:
        read_request(body, DEFAULT)
    assert refused.value.param == param


def test_one_owner_cannot_take_all() -> None:
    known = ClientSecrets()
    for number in range(1000):
        known.check("greedy", now=0.0)
        known.remember(f"ek_{number}", "greedy", DEFAULT, 60.0)
    with pytest.raises(RateLimited):
        known.check("greedy", now=1.0)
    known.check("other", now=1.0)
    known.check("greedy", now=61.0)


@pytest.mark.parametrize("kind", ["realtime", "transcription"])
def test_the_answer_is_what_openais_client_reads(kind: Any) -> None:
    answer = write_answer("ek_1", "sess_1", SessionConfig(type=kind), 1_800_000_000)
    read = ClientSecretCreateResponse.model_validate(answer, strict=True)
    assert (read.value, read.session.type) == ("ek_1", kind)
