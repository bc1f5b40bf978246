"""Object storage that speaks S3, through boto3: what a task names is fetched and what became of it is put back.

Blocking; called in threads. Sizes are looked at before anything is read.
"""

from __future__ import annotations

import mimetypes
import uuid
from typing import Any, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from vivavoce.adapters.engine.tasks import Storage
from vivavoce.errors import EngineError, InvalidRequest

CONNECT_S, READ_S = 10, 30
TRIES = 3
_SETTINGS = Config(
    connect_timeout=CONNECT_S,
    read_timeout=READ_S,
    retries={"max_attempts": TRIES, "mode": "standard"},
    s3={"addressing_style": "path"},  # a bucket's own host name would be another host than the one that was allowed
    request_checksum_calculation="when_required",  # older servers know no trailing checksums
    response_checksum_validation="when_required",
)


class StorageFailed(EngineError):
    """The object storage did not do what was asked."""

    status = 502
    code = "storage_failed"


class Bucket:
    """The bucket of object storage that one task names, opened with the task's own credentials."""

    def __init__(self, storage: Storage) -> None:
        self._bucket = storage.bucket
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=storage.host,
            region_name=storage.region,
            aws_access_key_id=storage.access_key_id,
            aws_secret_access_key=storage.secret_access_key,
            config=_SETTINGS,
        )

    def fetch(self, key: str, *, name: str, kinds: tuple[str, ...], max_bytes: int) -> bytes:
        """An input of one of the kinds.

        Raises:
            InvalidRequest: If its name says that it is of another kind, or it is too large.
            StorageFailed: If it cannot be fetched.
        """
        kind = mimetypes.guess_type(key)[0]
        if kind not in kinds:
            raise InvalidRequest(f"{name} must be {' or '.join(kinds)}, not {kind or 'of an unknown kind'}", param=name)
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=key)
            with found["Body"] as body:
                if found["ContentLength"] > max_bytes:
                    raise InvalidRequest(f"{name} is larger than {max_bytes} bytes", param=name)
                data: bytes = body.read(max_bytes + 1)
        except (BotoCoreError, ClientError) as error:
            raise StorageFailed(f"{name} cannot be fetched from the storage: {_reason(error)}") from None
        return data

    def put(self, file: BinaryIO, suffix: str, media_type: str) -> str:
        """Store a result under a name of its own. Returns its key.

        Raises:
            StorageFailed: If it cannot be stored.
        """
        key = f"{uuid.uuid4()}{suffix}"
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=file, ContentType=media_type)
        except (BotoCoreError, ClientError) as error:
            raise StorageFailed(f"the result cannot be stored: {_reason(error)}") from None
        return key

    def close(self) -> None:
        self._client.close()


def _reason(error: Exception) -> str:
    """The code of an answer, or the kind of a failure; never what was sent."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "refused"))
    return type(error).__name__
