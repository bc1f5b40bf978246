"""A task as an engine sends it, and what is told about it. Pure.

What it names is a stranger's word: the storage must be one of those in the settings and the answer goes back to an
engine that this server registered with, or the task is refused before anything is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from vivavoce.errors import InvalidRequest

MAX_INPUTS = 8
MAX_KEY = 1024  # of S3
_ID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")


class Status(StrEnum):
    """What becomes of a task, in the protocol's words."""

    PENDING = "pending"
    FETCHING = "fetching"
    PROCESSING = "processing"
    SAVING = "saving"
    FINISHED = "finished"
    ERROR = "error"


class InvalidTask(InvalidRequest):
    """The task cannot be taken."""

    code = "invalid_task"


@dataclass(frozen=True, slots=True)
class Storage:
    """A bucket, its host, and the credentials that open it."""

    host: str
    region: str
    bucket: str
    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Task:
    """One task, as it stands.

    Attributes:
        data_in: keys of its inputs, in the order of the service's fields.
        data_out: keys of its results.
    """

    id: str
    storage: Storage
    callback_url: str
    data_in: tuple[str, ...]
    status: Status = Status.PENDING
    data_out: tuple[str, ...] = ()
    error_message: str | None = None

    def report(self) -> dict[str, Any]:
        """The body of the callback."""
        return {
            "service": None,
            "url": None,
            "data_out": list(self.data_out) if self.status is Status.FINISHED else None,
            "status": self.status.value,
            "error_message": self.error_message,
        }

    def failed(self, message: str) -> Task:
        return replace(self, status=Status.ERROR, error_message=message)


@dataclass(frozen=True, slots=True)
class Places:
    """The hosts that a task may name: storage it is fetched from, engines it is reported to.

    Attributes:
        storages: hosts of object storage, `name` or `name:port`.
        engines: addresses of the engines; callbacks go to their hosts.
    """

    storages: tuple[str, ...]
    engines: tuple[str, ...]

    def check_storage(self, host: str) -> None:
        if _place(host, "s3_host") not in {entry.casefold() for entry in self.storages}:
            raise InvalidTask("this storage is not used from here; see the setting engine_storage", param="s3_host")

    def check_callback(self, url: str) -> None:
        allowed = {_origin(engine, "engine_url") for engine in self.engines}
        if _origin(url, "callback_url") not in allowed:
            raise InvalidTask("the callback must lead to an engine of the setting engine_url", param="callback_url")


def read_task(fields: Mapping[str, Any], places: Places) -> Task:
    """Check the JSON body of a request and make a task of it.

    Raises:
        InvalidTask: With the field at fault.
    """
    task = fields.get("task")
    if not isinstance(task, Mapping):
        raise InvalidTask("task is missing", param="task")
    task_id, keys = task.get("id"), task.get("data_in")
    if not isinstance(task_id, str) or not _ID.fullmatch(task_id):
        raise InvalidTask("task.id must be a UUID", param="task")
    if not isinstance(keys, list) or not 0 < len(keys) <= MAX_INPUTS:
        raise InvalidTask(f"task.data_in must list 1 to {MAX_INPUTS} keys", param="task")
    if not all(isinstance(key, str) and 0 < len(key.encode("utf-8", "replace")) <= MAX_KEY for key in keys):
        raise InvalidTask("task.data_in holds something that is no key", param="task")
    storage = Storage(
        host=_text(fields, "s3_host"),
        region=_text(fields, "s3_region"),
        bucket=_text(fields, "s3_bucket"),
        access_key_id=_text(fields, "s3_access_key_id"),
        secret_access_key=_text(fields, "s3_secret_access_key"),
    )
    callback = _text(fields, "callback_url")
    places.check_storage(storage.host)
    places.check_callback(callback)
    return Task(task_id, storage, callback, tuple(keys))


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 2048 or not value.isprintable():
        raise InvalidTask(f"{name} is missing or no plain text", param=name)
    return value


def _place(url: str, param: str) -> str:
    """`name` or `name:port` of a URL."""
    return _origin(url, param).partition("//")[2]


def _origin(url: str, param: str) -> str:
    """`scheme://name[:port]`, the port left out where it is the usual one."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidTask(f"{param} is no URL", param=param) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or "\\" in url:
        raise InvalidTask(f"{param} is no plain http or https URL", param=param)
    usual = port is None or port == (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{parts.hostname.casefold()}" + ("" if usual else f":{port}")
