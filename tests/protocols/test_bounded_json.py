"""JSON of strangers: what is refused, and that it is refused quickly."""

from __future__ import annotations

import json

import pytest

from vivavoce.errors import ProtocolError
from vivavoce.protocols.bounded_json import load_object


def test_an_object_comes_as_it_is() -> None:
    assert load_object('{"a": [1, {"b": null}]}') == {"a": [1, {"b": None}]}


def test_a_byte_order_mark_is_passed_over() -> None:
    assert load_object('\ufeff{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    "data", ["", "{", "[]", "1", "null", '{"a":NaN}', '{"a":-Infinity}', "[" * 100_000, '{"a":' + "9" * 5000 + "}"]
)
def test_anything_else_is_refused_without_repeating_it(data: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        load_object(data)
    assert refused.value.code == "invalid_json"


def test_depth_and_keys_have_limits() -> None:
    assert load_object(json.dumps({str(n): n for n in range(200)}))
    with pytest.raises(ProtocolError, match="keys"):
        load_object(json.dumps({"a": [{str(n): n for n in range(100)}] * 2}))
    with pytest.raises(ProtocolError, match="nested"):
        load_object('{"a":' * 21 + "1" + "}" * 21)
    assert load_object('{"a":' * 21 + "1" + "}" * 21, max_depth=30)


@pytest.mark.parametrize("data", ['{"a":[' + "[]," * 100_000 + "[]]}", "{" + '"a":1,' * 100_000 + '"b":1}'])
def test_what_would_take_long_to_read_is_refused_unread(data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "loads", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(ProtocolError, match="too many parts"):
        load_object(data, max_keys=1_000_000)
