"""Log lines: JSON that machines read, text that people read."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Literal

import pytest

from vivavoce.logs import REQUEST_ID, JsonFormatter, TextFormatter, configure_logging

pytestmark = pytest.mark.usefixtures("logging_restored")


def record(message: str, *args: object, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("vivavoce.somewhere", logging.WARNING, __file__, 1, message, args, None)
    made.created, made.msecs = 1_750_000_000.042, 42.0
    vars(made).update(fields)
    return made


def test_a_json_line_is_one_object() -> None:
    line = JsonFormatter().format(record("gone after %d s\nor so", 3, voice="mika", audio_s=1.25, name_of=("a", 1)))
    assert "\n" not in line
    fields = json.loads(line)
    assert fields == {
        "time": "2025-06-15T15:06:40.042Z",
        "level": "warning",
        "logger": "vivavoce.somewhere",
        "event": "gone after 3 s\nor so",
        "voice": "mika",
        "audio_s": 1.25,
        "name_of": ["a", 1],
    }
    assert datetime.fromisoformat(fields["time"]) == datetime.fromtimestamp(1_750_000_000.042, UTC)


def test_a_line_names_the_request_it_is_about() -> None:
    token = REQUEST_ID.set("abc")
    try:
        assert json.loads(JsonFormatter().format(record("failed")))["request_id"] == "abc"
        assert TextFormatter().format(record("failed")).endswith("request_id=abc")
    finally:
        REQUEST_ID.reset(token)
    assert "request_id" not in json.loads(JsonFormatter().format(record("failed")))


def test_a_field_that_json_does_not_know_is_written_as_text() -> None:
    assert json.loads(JsonFormatter().format(record("x", at={1}, error=ValueError("no"))))["error"] == "no"


def test_an_exception_is_part_of_the_line() -> None:
    failed = record("failed")
    try:
        raise ValueError("why")
    except ValueError as error:
        failed.exc_info = (type(error), error, error.__traceback__)
    assert json.loads(JsonFormatter().format(failed))["exception"].endswith("ValueError: why")
    head, _, rest = TextFormatter().format(failed).partition("\n")
    assert head.endswith("warning failed")
    assert rest.endswith("ValueError: why")


def test_a_text_line_has_its_fields_and_leaves_out_the_absent() -> None:
    line = TextFormatter().format(record("utterance ended", voice="mika", reason=None))
    assert line.endswith(" warning utterance ended voice=mika")


@pytest.mark.parametrize(("log_format", "is_json"), [("auto", True), ("json", True), ("text", False)])
def test_lines_go_to_standard_error(
    capsys: pytest.CaptureFixture[str], log_format: Literal["auto", "json", "text"], is_json: bool
) -> None:
    configure_logging("info", log_format)
    logging.getLogger("vivavoce.test").info("hello", extra={"voice": "mika"})
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("{") == is_json
    assert "mika" in captured.err


def test_the_level_is_ours_alone(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("debug", "auto")
    logging.getLogger("vivavoce.test").debug("ours")
    logging.getLogger("uvicorn.access").info("theirs")
    logging.getLogger("httpx").info("theirs")
    events = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert events == ["ours"]
