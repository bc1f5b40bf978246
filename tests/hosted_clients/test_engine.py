"""Tasks from an engine, against moto's object storage and a played engine: from the announcement to the end."""

from __future__ import annotations

import io
import json
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import httpx
import pytest
import soundfile
from moto.server import ThreadedMotoServer

from fake_engine import FakeEngine, wait_until
from inference_stand_in import CAPTION, InferenceStandIn
from live_server import LiveServer, live_server
from pictures import picture

BUCKET = "tasks"
ADDRESS = "http://here.example"
HOSTILE = 'She said "no",\n\t{"a": 1} \N{GRINNING FACE}'


class PlayedEngine:
    """Takes announcements, pings and reports; can refuse the first reports."""

    def __init__(self) -> None:
        self.services: dict[str, dict[str, Any]] = {}
        self.reports: dict[str, dict[str, Any]] = {}
        self.statuses: list[str] = []
        self.refusals = 0
        engine = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                self._give({"id": "known-1"})

            def do_POST(self) -> None:
                body = self._body()
                if self.path == "/api/services":
                    engine.services[body["slug"]] = body
                self._give({})

            def do_PATCH(self) -> None:
                body = self._body()
                if "/tasks/" in self.path:
                    if engine.refusals > 0:
                        engine.refusals -= 1
                        self._give({}, 503)
                        return
                    engine.reports[self.path.rpartition("/")[2]] = body
                else:
                    engine.statuses.append(body["status"])
                self._give({})

            def _body(self) -> Any:
                return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

            def _give(self, content: object, status: int = 200) -> None:
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/api"

    def __enter__(self) -> PlayedEngine:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture(scope="module")
def storage() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    s3(f"http://{host}:{port}").create_bucket(Bucket=BUCKET)
    yield f"http://{host}:{port}"
    server.stop()


def s3(url: str) -> Any:
    return boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
    )


class Engaged:
    """A server that an engine sends tasks to."""

    def __init__(self, server: LiveServer, engine: PlayedEngine, storage: str) -> None:
        self.server, self.engine, self.storage = server, engine, storage
        wait_until(lambda: len(engine.services) == 2)

    def url(self, kind: str) -> str:
        url: str = self.engine.services[f"hugging-face-{kind}"]["url"]
        return url.replace(ADDRESS, self.server.url)  # the port is only known once it listens

    def put(self, suffix: str, data: bytes) -> str:
        key = f"{uuid.uuid4()}{suffix}"
        s3(self.storage).put_object(Bucket=BUCKET, Key=key, Body=data)
        return key

    def get(self, key: str) -> bytes:
        data: bytes = s3(self.storage).get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return data

    def send(self, kind: str, keys: list[str], **changed: Any) -> tuple[str, httpx.Response]:
        task_id = str(uuid.uuid4())
        body = {
            "s3_access_key_id": "key",
            "s3_secret_access_key": "secret",
            "s3_region": "us-east-1",
            "s3_host": self.storage,
            "s3_bucket": BUCKET,
            "callback_url": f"{self.engine.url}/tasks/{task_id}",
            "task": {"id": task_id, "data_in": keys, "status": "pending", "service_id": str(uuid.uuid4())},
            **changed,
        }
        return task_id, httpx.post(self.url(kind) + "/compute", json=body)

    def report(self, task_id: str) -> dict[str, Any]:
        wait_until(lambda: task_id in self.engine.reports, 30.0)
        return self.engine.reports[task_id]

    def sound(self, behaviour: str, hub: InferenceStandIn, text: str = HOSTILE) -> tuple[str, httpx.Response]:
        described = json.dumps({"api_url": hub.url(behaviour), "api_token": "hf_of_the_user"}).encode()
        return self.send("text-to-audio", [self.put(".json", described), self.put(".txt", text.encode())])


@pytest.fixture
def engine() -> Iterator[PlayedEngine]:
    with PlayedEngine() as engine:
        yield engine


@pytest.fixture
def engaged(hub: InferenceStandIn, engine: PlayedEngine, storage: str) -> Iterator[Engaged]:
    with serving(engine, storage) as server:
        yield Engaged(server, engine, storage)


def serving(engine: PlayedEngine, storage: str, **settings: Any) -> Any:
    return live_server(
        [FakeEngine()],
        hosted=True,
        engine_url=(engine.url,),
        engine_service_url=ADDRESS,
        engine_storage=(storage.removeprefix("http://"),),
        api_keys=("a-key-of-sixteen-characters",),
        **settings,
    )


def test_a_text_becomes_ogg_in_the_storage(engaged: Engaged, hub: InferenceStandIn) -> None:
    assert httpx.get(engaged.url("text-to-audio") + "/status").json() == {"status": "Service is available"}
    task_id, answer = engaged.sound("flac", hub)
    assert (answer.status_code, answer.json()) == (200, {"status": "Task added to the queue"})
    report = engaged.report(task_id)
    assert report["status"] == "finished", report
    assert report["service"] is report["url"] is report["error_message"] is None
    (key,) = report["data_out"]
    assert key.endswith(".ogg")
    assert len(soundfile.read(io.BytesIO(engaged.get(key)))[0]) == pytest.approx(24_000, abs=1)
    assert hub.asked[0].json == {"inputs": HOSTILE}
    assert hub.asked[0].token == "hf_of_the_user"
    status = httpx.get(f"{engaged.url('text-to-audio')}/tasks/{task_id}/status").json()
    assert status == {"status": "finished"}


def test_a_picture_becomes_json_in_the_storage(engaged: Engaged, hub: InferenceStandIn) -> None:
    for field, result in [(None, CAPTION), ("generated_text", [{"generated_text": CAPTION[0]["generated_text"]}])]:
        described: dict[str, Any] = {"api_url": hub.url("caption-list"), "api_token": "t"}
        described |= {} if field is None else {"desired_output": field}
        keys = [engaged.put(".json", json.dumps(described).encode()), engaged.put(".png", picture("png"))]
        report = engaged.report(engaged.send("image-to-text", keys)[0])
        assert report["status"] == "finished", report
        assert json.loads(engaged.get(report["data_out"][0])) == result


def test_two_tasks_at_once(engaged: Engaged, hub: InferenceStandIn) -> None:
    first, _ = engaged.sound("held", hub)
    wait_until(lambda: hub.counts.get("held", 0) == 1)
    second, _ = engaged.sound("flac", hub)
    assert engaged.report(second)["status"] == "finished"  # while the first is still under way
    status = httpx.get(f"{engaged.url('text-to-audio')}/tasks/{first}/status").json()
    assert status == {"status": "processing"}
    hub.released.set()
    assert engaged.report(first)["status"] == "finished"


@pytest.mark.parametrize(
    ("description", "suffixes", "sentence"),
    [
        ("not json", (".json", ".txt"), "json_description is invalid"),
        ('{"api_url": "x"}', (".json", ".txt"), "api_url or api_token missing from json_description"),
        (
            '{"api_url": "https://169.254.169.254/", "api_token": "t"}',
            (".json", ".txt"),
            "not on a host that is called",
        ),
        ('{"api_url": "local:alpha", "api_token": "t"}', (".json", ".txt"), "needs the address of a model"),
        ("{}", (".json", ".mp3"), "input_text must be text/plain, not audio/mpeg"),
        ("{}", (".html", ".txt"), "json_description must be application/json"),
    ],
)
def test_what_is_wrong_is_reported_and_goes_no_further(
    engaged: Engaged, hub: InferenceStandIn, description: str, suffixes: tuple[str, str], sentence: str
) -> None:
    keys = [engaged.put(suffixes[0], description.encode()), engaged.put(suffixes[1], b"text")]
    report = engaged.report(engaged.send("text-to-audio", keys)[0])
    assert report["status"] == "error"
    assert sentence in report["error_message"]
    assert hub.asked == []


def test_the_upstreams_own_words_are_reported(engaged: Engaged, hub: InferenceStandIn) -> None:
    for behaviour, sentence in [("broke", "402: You have exceeded"), ("echo", "Bearer ***"), ("junk", "no sound")]:
        report = engaged.report(engaged.sound(behaviour, hub)[0])
        assert report["status"] == "error"
        assert report["data_out"] is None
        assert sentence in report["error_message"]
        assert "hf_of_the_user" not in str(report)
    missing = engaged.report(engaged.send("text-to-audio", ["none.json", "none.txt"])[0])
    assert "NoSuchKey" in missing["error_message"]


def test_a_report_that_is_refused_is_sent_again(engaged: Engaged, hub: InferenceStandIn) -> None:
    engaged.engine.refusals = 1
    assert engaged.report(engaged.sound("flac", hub)[0])["status"] == "finished"


def test_nothing_leads_elsewhere(engaged: Engaged) -> None:
    for changed in ({"s3_host": "http://169.254.169.254"}, {"callback_url": "http://127.0.0.1:1/x"}):
        _, answer = engaged.send("text-to-audio", ["a.json", "b.txt"], **changed)
        assert answer.status_code == 422
        assert isinstance(answer.json()["detail"], str)
    for url in (engaged.url("text-to-audio").replace("/engine/", "/engine/x"), engaged.url("text-to-audio") + "x"):
        assert httpx.post(url + "/compute", json={}).status_code == 404
        assert httpx.get(url + "/status").status_code == 404


def test_a_full_queue(hub: InferenceStandIn, engine: PlayedEngine, storage: str) -> None:
    with serving(engine, storage, engine_max_tasks=1) as server:
        engaged = Engaged(server, engine, storage)
        first, _ = engaged.sound("held", hub)
        _, answer = engaged.sound("flac", hub)
        assert (answer.status_code, answer.json()) == (503, {"detail": "Queue is full"})
        hub.released.set()
        engaged.report(first)


def test_a_server_that_stops_loses_nothing(hub: InferenceStandIn, engine: PlayedEngine, storage: str) -> None:
    with serving(engine, storage, engine_tasks_at_once=1) as server:
        engaged = Engaged(server, engine, storage)
        running, _ = engaged.sound("held", hub)
        wait_until(lambda: hub.counts.get("held", 0) == 1)
        waiting, _ = engaged.sound("flac", hub)
        server.uvicorn_server.handle_exit(15, None)
        assert "send it again" in engaged.report(waiting)["error_message"]
        hub.released.set()
        assert engaged.report(running)["status"] == "finished"
    assert engine.statuses == ["sleeping", "sleeping"]
