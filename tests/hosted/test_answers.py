"""What a refusing answer means, in our words."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.errors import HostedModelBusy, HostedModelFailed, HostedModelTimeout
from vivavoce.hosted.answers import Loading, failure, pause_of


def refusal(status: int, content: object, **headers: str) -> HostedModelFailed:
    found = failure(status, {"content-type": "application/json", **headers}, json.dumps(content).encode())
    assert isinstance(found, HostedModelFailed)
    return found


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"error": "CUDA out of memory"}, "CUDA out of memory"),
        ({"error": ["one", "two", 3]}, "one; two"),
        ({"error": {"message": "no such voice", "type": "x"}}, "no such voice"),
        ({"detail": "Model not found"}, "Model not found"),
        ({"message": "Forbidden"}, "Forbidden"),
        ({"error": "", "message": "said elsewhere"}, "said elsewhere"),
        ({"error": True, "message": "said elsewhere"}, "said elsewhere"),
        ({"detail": [{"loc": ["body"], "msg": "field required", "input": "the text"}]}, "field required"),
        ({"errors": [{"message": "one"}, {"message": "two"}]}, "one; two"),
        ({"error": {"type": "x", "reason": "no such index"}}, "no such index"),
        ({"title": "Unprocessable", "detail": "in full"}, "in full"),
        ([{"error": "in a list"}], "in a list"),
        ("a bare string", "a bare string"),
        ({"error": "line\nbreak\x1b[31m"}, "line break [31m"),
    ],
)
def test_the_upstreams_own_sentence_is_told(content: object, sentence: str) -> None:
    error = refusal(400, content)
    assert error.status == 502
    assert error.message == f"the model's server says 400: {sentence}"


def test_a_refusal_without_a_reason_still_has_a_sentence() -> None:
    deep: object = {"error": {"error": {"error": {"error": {"error": "too deep"}}}}}
    contents: list[object] = [{}, [], "", {"error": 7}, {"error": None}, {"input": "the text"}, deep, [[[[["deep"]]]]]]
    for content in contents:
        assert "gave no reason" in refusal(500, content).message
    assert "no credit" in refusal(402, {}).message
    page = failure(502, {"content-type": "text/html"}, b"<html><body>bad gateway")
    assert isinstance(page, HostedModelFailed)
    assert "html" not in page.message


def test_a_reason_in_another_encoding_is_told_as_far_as_it_goes() -> None:
    error = failure(400, {"content-type": "application/json"}, '{"error": "modèle occupé"}'.encode("latin-1"))
    assert isinstance(error, HostedModelFailed)
    assert error.message.endswith("mod�le occup�")


def test_plain_text_is_a_sentence_too_and_has_an_end() -> None:
    error = failure(404, {"content-type": "text/plain"}, b"Not Found" + b"!" * 5000)
    assert isinstance(error, HostedModelFailed)
    assert error.message.startswith("the model's server says 404: Not Found!")
    assert len(error.message) < 400


@pytest.mark.parametrize(
    ("header", "pause_s"),
    [
        ("7", 7.0),
        ("1.5", 1.5),
        ("9" * 400, 3600.0),
        ("Fri, 27 Nov 2026 10:00:30 GMT", 30.0),
        ("Friday, 27-Nov-26 10:00:30 GMT", 30.0),
        ("Fri, 27 Nov 2026 09:00:00 GMT", 0.0),
        ("Fri, 27 Nov 2099 10:00:30 GMT", 3600.0),
        ("Wed, 21 Oct", 1.0),
        ("-3", 1.0),
        ("inf", 1.0),
        ("٣", 1.0),
        ("", 1.0),
    ],
)
def test_a_busy_model_passes_its_pause_on(header: str, pause_s: float) -> None:
    """A date counts from the answer's own."""
    headers = {"retry-after": header, "date": "Fri, 27 Nov 2026 10:00:00 GMT"}
    error = refusal(429, {"error": "Rate limit reached"}, **headers)
    assert isinstance(error, HostedModelBusy)
    assert (error.status, error.retry_after_s) == (429, pause_s)
    assert error.retryable


@pytest.mark.parametrize("status", [401, 402, 403, 404, 410])
def test_what_does_not_mend_itself_is_not_to_be_tried_again(status: int) -> None:
    assert not refusal(status, {}).retryable


def test_a_time_limit_of_the_upstream_is_a_time_limit_here() -> None:
    assert isinstance(refusal(504, {}), HostedModelTimeout)


@pytest.mark.parametrize(
    ("estimate", "pause_s"),
    [
        (7.5, 7.5),
        (1e9, 20.0),
        (-3, 0.0),
        ("soon", 20.0),
        (None, 20.0),
        (math.inf, 20.0),
        (True, 20.0),
        (10**400, 20.0),
        (-(10**400), 20.0),
        ("7.5", 7.5),
        ("nan", 20.0),
        ([], 20.0),
    ],
)
def test_a_loading_model_is_waited_for(estimate: object, pause_s: float) -> None:
    assert pause_of(estimate) == pause_s


def test_only_a_503_with_an_estimate_is_loading() -> None:
    body = json.dumps({"error": "loading", "estimated_time": 3}).encode()
    assert failure(503, {}, body) == Loading(3.0)
    assert isinstance(failure(500, {}, body), HostedModelFailed)
    assert isinstance(failure(503, {}, b"{}"), HostedModelFailed)


def test_a_token_that_is_quoted_back_is_not_passed_on() -> None:
    error = failure(400, {}, b'{"error": "bad header Bearer hf_secret"}', ("hf_secret",))
    assert isinstance(error, HostedModelFailed)
    assert "hf_secret" not in error.message


def test_a_date_without_a_date_to_count_from_is_no_pause() -> None:
    assert refusal(429, {}, **{"retry-after": "Fri, 27 Nov 2026 10:00:30 GMT"}).retry_after_s == 1.0
    assert refusal(503, {}, **{"retry-after": "Fri, 27 Nov 2026 10:00:30 GMT"}).retry_after_s is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["error", "detail", "message", "msg", "estimated_time", "x"]), inner)
        ),
    ),
    st.text(max_size=40),
)
def test_any_json_is_a_failure_and_nothing_else(content: object, header: str) -> None:
    headers = {"retry-after": header, "date": header, "content-type": "application/json"}
    found = failure(503, headers, json.dumps(content).encode())
    assert isinstance(found, (HostedModelFailed, Loading))


@given(st.binary(max_size=200), st.integers(100, 599))
def test_any_bytes_are_a_failure_and_nothing_else(body: bytes, status: int) -> None:
    assert isinstance(failure(status, {"content-type": "text/plain"}, body), (HostedModelFailed, Loading))
