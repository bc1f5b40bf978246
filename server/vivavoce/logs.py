"""Log lines: one JSON object each, or text for a terminal. Neither ever holds spoken text, keys or audio."""

from __future__ import annotations

import json
import logging
import sys
import time
from contextvars import ContextVar
from typing import Any

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)  # of what this task works for

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What was passed as `extra`, and the request in whose task the line was written."""
    fields = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    request_id = REQUEST_ID.get()
    return fields if request_id is None else {"request_id": request_id, **fields}


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """Time, level, message and fields, for people."""

    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{key}={value}" for key, value in _fields(record).items() if value is not None)
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        line = f"{clock} {record.levelname.lower():7} {record.getMessage()} {fields}".rstrip()
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def configure_logging(level: str, log_format: str) -> None:
    """Send this package's log lines to standard error, as text for people or JSON for machines.

    Args:
        level: least severe line logged: debug, info, warning or error.
        log_format: json or text; auto: text on a terminal, else json.
    """
    handler = logging.StreamHandler(sys.stderr)
    json_wanted = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    handler.setFormatter(JsonFormatter() if json_wanted else TextFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("vivavoce").setLevel(level.upper())
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
