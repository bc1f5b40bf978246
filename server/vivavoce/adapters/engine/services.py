"""The two services an engine may send tasks to: what they take, what they give, and the work itself."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from vivavoce.adapters.engine.fields import Field
from vivavoce.adapters.engine.storage import Bucket
from vivavoce.adapters.engine.tasks import InvalidTask, Status, Task
from vivavoce.audio.encoders import FORMATS
from vivavoce.config import LimitSettings
from vivavoce.decoding.service import DecodingService
from vivavoce.errors import InvalidRequest
from vivavoce.hosted.captions import look_at, wished
from vivavoce.hosted.inference import HostedModels
from vivavoce.hosted.transcoding import as_the_models_fault, transcoded
from vivavoce.routes.hosted_body import MAX_DESCRIPTION, read_text
from vivavoce.routes.hosted_description import MISSING, Description, read_description

OWNER = "engine"
SPOOLED_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What both services work with: hosted models, decoders, threads and limits."""

    models: HostedModels
    decoding: DecodingService
    encoding: Executor
    storing: Executor
    limits: LimitSettings


class TextToAudio:
    """The service that has a hosted model make sound of a text, and stores it as Ogg."""

    name = "Hugging Face text-to-audio"
    slug = "hugging-face-text-to-audio"
    summary = "Asks a text-to-audio model of Hugging Face"
    takes = (Field("json_description", ("application/json",)), Field("input_text", ("text/plain",)))
    gives = (Field("result", ("audio/ogg",)),)

    def __init__(self, means: Means) -> None:
        self._means = means

    async def run(self, task: Task, stage: Callable[[Status], None]) -> tuple[str, ...]:
        means = self._means
        max_text = means.limits.max_body_kib * 1024
        stage(Status.FETCHING)
        bucket, (described, text) = await _fetched(means, task, self.takes, (MAX_DESCRIPTION, max_text))
        try:
            stage(Status.PROCESSING)
            wish, target, token = _asked(means.models, read_description(described))
            with tempfile.SpooledTemporaryFile(max_size=SPOOLED_BYTES) as file, as_the_models_fault():
                async with (
                    means.models.sound(target, token, read_text(text, means.limits), wish.parameters) as sound,
                    means.decoding.live(owner=OWNER, sample_rate=None) as decoder,
                ):
                    async for part in transcoded(sound, decoder, "ogg", means.encoding):
                        await _in(means.storing, file.write, part)
                stage(Status.SAVING)
                await _in(means.storing, file.seek, 0)
                return (await _in(means.storing, bucket.put, file, ".ogg", FORMATS["ogg"].partition(";")[0]),)
        finally:
            await _in(means.storing, bucket.close)


class ImageToText:
    """The service that has a hosted model describe a picture, and stores the words as JSON."""

    name = "Hugging Face image-to-text"
    slug = "hugging-face-image-to-text"
    summary = "Asks an image-to-text model of Hugging Face"
    takes = (
        Field("json_description", ("application/json",)),
        Field("input_image", ("image/jpeg", "image/png", "image/webp")),
    )
    gives = (Field("result", ("application/json",)),)

    def __init__(self, means: Means) -> None:
        self._means = means

    async def run(self, task: Task, stage: Callable[[Status], None]) -> tuple[str, ...]:
        means = self._means
        stage(Status.FETCHING)
        limits = (MAX_DESCRIPTION, means.limits.max_upload_mib << 20)
        bucket, (described, image) = await _fetched(means, task, self.takes, limits)
        try:
            stage(Status.PROCESSING)
            wish, target, token = _asked(means.models, read_description(described))
            picture = look_at(image)
            answer = wished(await means.models.caption(target, token, image, picture.media_type), wish.desired_output)
            stage(Status.SAVING)
            with tempfile.SpooledTemporaryFile(max_size=SPOOLED_BYTES) as file:
                file.write(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace"))
                file.seek(0)
                return (await _in(means.storing, bucket.put, file, ".json", "application/json"),)
        finally:
            await _in(means.storing, bucket.close)


def _asked(models: HostedModels, wish: Description) -> tuple[Description, Any, str]:
    """The model and the token of a description; an engine's users bring their own."""
    if wish.local is not None:
        raise InvalidRequest("a task needs the address of a model", param="api_url")
    if wish.api_token is None:
        raise InvalidRequest(MISSING, param="json_description")
    return wish, models.target(wish.api_url), wish.api_token


async def _fetched(
    means: Means, task: Task, fields: tuple[Field, ...], limits: tuple[int, ...]
) -> tuple[Bucket, list[bytes]]:
    """The task's bucket and its inputs."""
    if len(task.data_in) != len(fields):
        raise InvalidTask(f"this service takes {' and '.join(field.name for field in fields)}", param="task")
    bucket = await _in(means.storing, Bucket, task.storage)
    try:
        inputs = [
            await _in(means.storing, _fetch, bucket, key, field, max_bytes)
            for key, field, max_bytes in zip(task.data_in, fields, limits, strict=True)
        ]
    except BaseException:
        await _in(means.storing, bucket.close)
        raise
    return bucket, inputs


def _fetch(bucket: Bucket, key: str, field: Field, max_bytes: int) -> bytes:
    return bucket.fetch(key, name=field.name, kinds=field.type, max_bytes=max_bytes)


async def _in(threads: Executor, work: Callable[..., Any], *arguments: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(threads, work, *arguments)
