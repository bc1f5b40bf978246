"""A task as an engine sends it: values in, a task or a refusal out."""

from __future__ import annotations

from typing import Any

import pytest

from vivavoce.adapters.engine.tasks import InvalidTask, Places, Status, read_task

ID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
PLACES = Places(storages=("minio:9000", "s3.example.org"), engines=("http://engine:8080/api", "https://e.example.org"))


def body(**changed: Any) -> dict[str, Any]:
    task = {"id": ID, "data_in": ["a.json", "b.txt"], "status": "pending", "service_id": ID}
    return {
        "s3_access_key_id": "key",
        "s3_secret_access_key": "a-secret",
        "s3_region": "eu",
        "s3_host": "http://minio:9000",
        "s3_bucket": "bucket",
        "callback_url": f"http://engine:8080/api/tasks/{ID}",
        "task": {**task, **changed.pop("task", {})},
        **changed,
    }


def test_a_task_is_read() -> None:
    task = read_task(body(), PLACES)
    assert (task.id, task.data_in, task.status) == (ID, ("a.json", "b.txt"), Status.PENDING)
    assert task.storage.host == "http://minio:9000"
    assert "a-secret" not in repr(task)
    failed = task.failed("no")
    assert failed.report() == {
        "service": None,
        "url": None,
        "data_out": None,
        "status": "error",
        "error_message": "no",
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"task": {"id": "1"}},
        {"task": {"id": f"{ID}/../x"}},
        {"task": {"data_in": []}},
        {"task": {"data_in": ["x"] * 9}},
        {"task": {"data_in": [7, "x"]}},
        {"task": {"data_in": ["x" * 1025, "x"]}},
        {"task": {"data_in": "a.json"}},
        {"s3_host": "http://169.254.169.254"},
        {"s3_host": "http://minio"},
        {"s3_host": "http://minio:9000@evil.example"},
        {"s3_host": "http://minio:9001"},
        {"s3_host": "file:///etc"},
        {"s3_host": "http://[::1"},
        {"s3_host": 7},
        {"s3_bucket": ""},
        {"s3_region": "eu\r\nx"},
        {"callback_url": "http://evil.example/tasks"},
        {"callback_url": "https://engine:8080/api"},
        {"callback_url": "http://engine:8081/api"},
        {"callback_url": "http://engine:8080@evil.example/"},
        {"callback_url": "http://engine:8080\\@evil.example/"},
    ],
)
def test_what_leads_elsewhere_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidTask) as refused:
        read_task(body(**changed), PLACES)
    assert "a-secret" not in refused.value.message


def test_a_body_without_a_task() -> None:
    with pytest.raises(InvalidTask, match="task is missing"):
        read_task({}, PLACES)
