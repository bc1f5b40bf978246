"""Messages read and write as the shared fixtures say, and nonsense always ends in a ProtocolError."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.errors import Overloaded, ProtocolError
from vivavoce.protocols.native import messages
from vivavoce.protocols.native.client_messages import ClientMessage
from vivavoce.protocols.native.server_messages import ErrorMessage, ServerMessage

FIXTURES = Path(__file__).parents[2] / "fixtures" / "messages"
CASES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FIXTURES.glob("*.json"))}


def read(case: dict[str, Any]) -> ClientMessage | ServerMessage:
    text = case["raw"] if "raw" in case else json.dumps(case["message"])
    return messages.parse(text) if case["direction"] == "client" else messages.parse_server(text)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case["valid"]])
def test_a_valid_fixture_is_read_and_written_back(name: str) -> None:
    case = CASES[name]
    message = read(case)
    assert json.loads(messages.serialize(message)) == case.get("parsed", case.get("message"))


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case["valid"]])
def test_an_invalid_fixture_is_refused_with_its_code(name: str) -> None:
    case = CASES[name]
    with pytest.raises(ProtocolError) as refused:
        read(case)
    assert (refused.value.code, refused.value.param) == (case["error"], case.get("param"))


def test_every_message_type_has_a_valid_fixture() -> None:
    covered = {(case["direction"], case["message"]["type"]) for case in CASES.values() if case["valid"]}
    known = {("client", kind.type) for kind in ClientMessage.__args__}
    known |= {("server", kind.type) for kind in ServerMessage.__args__}
    assert covered == known


def test_binary_is_refused_with_its_close_code() -> None:
    with pytest.raises(ProtocolError) as refused:
        messages.parse(b'{"type":"input.done"}')
    assert (refused.value.code, refused.value.close_code) == ("binary_message", 1003)


def test_an_error_never_repeats_what_the_client_sent() -> None:
    for text in ('{"type":"sesame-open"}', '{"type":"session.config","audio":"sesame-open"}', '["sesame-open"'):
        with pytest.raises(ProtocolError) as refused:
            messages.parse(text)
        assert "sesame" not in refused.value.message


def test_a_deep_bomb_is_refused() -> None:
    for bomb in ("[" * 200_000, '{"a":' * 100_000, '{"type":"input.done","x":' + "[" * 900 + "]" * 900 + "}"):
        with pytest.raises(ProtocolError) as refused:
            messages.parse(bomb)
        assert refused.value.code == "invalid_json"


def test_an_error_message_carries_the_error_object_of_every_route() -> None:
    message = ErrorMessage.of(Overloaded(), utterance_index=3)
    written = json.loads(messages.serialize(message))
    assert written == {"type": "error", **Overloaded().to_wire(), "utterance_index": 3}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
names = sorted({each.name for kind in ClientMessage.__args__ for each in dataclasses.fields(kind)})
field_names = st.sampled_from(names)
types = st.sampled_from(sorted(kind.type for kind in ClientMessage.__args__)) | json_values
nonsense = st.builds(
    lambda kind, fields: {"type": kind, **fields}, types, st.dictionaries(field_names, json_values, max_size=5)
)


@settings(deadline=None)
@given(nonsense | json_values)
def test_any_json_is_read_or_refused(value: object) -> None:
    try:
        message = messages.parse(json.dumps(value))
    except ProtocolError:
        return
    assert messages.parse(messages.serialize(message)) == message


@settings(deadline=None)
@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(ProtocolError):
        messages.parse(text)
