"""`/v1/hosted/...` of a real server, over a stand-in of the servers it calls."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from decoders import decode_with_ffmpeg, decode_with_libsndfile
from fake_engine import FakeEngine, wait_until
from inference_stand_in import CAPTION, PUBLIC, ROUTER, InferenceStandIn
from live_server import LiveServer, live_server
from pictures import picture

TOKEN = "hf_a_secret_of_the_caller"
KEY = "a-key-of-sixteen-characters"
AUDIO, TEXT = "/v1/hosted/text-to-audio", "/v1/hosted/image-to-text"
HOSTILE = 'She said "no",\n\tC:\\dir, {"a": 1} \u2028 ' + "\N{GRINNING FACE}é漢"


@pytest.fixture(scope="module")
def hub_of_all() -> Iterator[InferenceStandIn]:
    with InferenceStandIn() as hub:
        yield hub


@pytest.fixture
def hub(hub_of_all: InferenceStandIn) -> InferenceStandIn:
    hub_of_all.forget()
    return hub_of_all


@pytest.fixture(scope="module")
def shared(hub_of_all: InferenceStandIn) -> Iterator[LiveServer]:
    with hosting(hub_of_all) as server:
        yield server


@pytest.fixture
def server(hub: InferenceStandIn, shared: LiveServer) -> LiveServer:
    return shared


class hosting:
    """A server that calls the stand-in."""

    def __init__(self, hub: InferenceStandIn, **settings: Any) -> None:
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr("vivavoce.app.hosted.open_transport", hub.transport)
        self._serving = live_server([FakeEngine(("alpha", "beta"))], **{"hosted": True, **settings})

    def __enter__(self) -> LiveServer:
        return self._serving.__enter__()

    def __exit__(self, *raised: Any) -> None:
        self._serving.__exit__(*raised)
        self._patch.undo()


def sound(
    server: LiveServer, url: str, text: str = "hello", *, token: str | None = TOKEN, query: str = "", **described: Any
) -> httpx.Response:
    """Ask as the first documents do: two files."""
    description = {"api_url": url, **({} if token is None else {"api_token": token}), **described}
    files: dict[str, Any] = {
        "json_description": ("d.json", json.dumps(description), "application/json"),
        "input_text": ("t.txt", text.encode(), "text/plain"),
    }
    return httpx.post(server.url + AUDIO + query, files=files, timeout=60)


def caption(server: LiveServer, url: str, image: bytes, kind: str = "image/jpeg", **described: Any) -> httpx.Response:
    description = {"api_url": url, "api_token": TOKEN, **described}
    files: dict[str, Any] = {
        "json_description": ("d.json", json.dumps(description), "application/json"),
        "input_image": ("picture", image, kind),
    }
    return httpx.post(server.url + TEXT, files=files, timeout=60)


# -- text to audio


def test_a_text_becomes_ogg(server: LiveServer, hub: InferenceStandIn) -> None:
    response = sound(server, hub.url("flac"), HOSTILE)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "audio/ogg; codecs=vorbis"
    assert response.content[:4] == b"OggS"
    heard = decode_with_libsndfile(response.content)
    assert len(heard.samples) == pytest.approx(24_000, abs=1)
    assert np.abs(heard.samples).max() == pytest.approx(0.3, abs=0.05)
    assert hub.asked[0].json == {"inputs": HOSTILE}
    assert hub.asked[0].token == TOKEN


@pytest.mark.parametrize(
    "text", ['"', "a\nb\r\n", "\\", "'; drop", "\N{GRINNING FACE}" * 4096, "é" * 4096, HOSTILE, "a\x00b"]
)
def test_a_text_arrives_as_it_was_sent(server: LiveServer, hub: InferenceStandIn, text: str) -> None:
    assert sound(server, hub.url("flac"), text).status_code == 200
    body = {"api_url": hub.url("flac"), "api_token": TOKEN, "input_text": text}
    assert httpx.post(server.url + AUDIO, json=body, timeout=30).status_code == 200
    assert [asked.json["inputs"] for asked in hub.asked] == [text, text]


@pytest.mark.parametrize("format", ["ogg", "opus", "mp3", "flac", "wav", "aac"])
@pytest.mark.parametrize("place", ["query", "form", "json"])
def test_any_format_of_ours(server: LiveServer, hub: InferenceStandIn, format: str, place: str) -> None:
    if place == "query":
        response = sound(server, hub.url("wav"), query=f"?format={format}")
    elif place == "form":
        described = json.dumps({"api_url": hub.url("wav"), "api_token": TOKEN})
        fields = {"json_description": described, "input_text": "hello", "format": format}
        response = httpx.post(server.url + AUDIO, files={name: (None, value) for name, value in fields.items()})
    else:
        body = {"api_url": hub.url("wav"), "api_token": TOKEN, "input_text": "hello", "format": format}
        response = httpx.post(server.url + AUDIO, json=body)
    heard = decode_with_ffmpeg(response.content)
    assert len(heard.samples) / heard.sample_rate == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("behaviour", ["flac", "wav", "mp3", "stereo", "fal"])
def test_any_container_of_theirs(server: LiveServer, hub: InferenceStandIn, behaviour: str) -> None:
    prefix = "/fal-ai/" if behaviour == "fal" else "/hf-inference/models/"
    response = sound(server, hub.url(behaviour, prefix=prefix))
    heard = decode_with_libsndfile(response.content)
    assert len(heard.samples) / heard.sample_rate == pytest.approx(1.0, abs=0.06)
    assert heard.sample_rate == (44_100 if behaviour == "stereo" else 24_000)


def test_parameters_and_a_model_by_name(server: LiveServer, hub: InferenceStandIn) -> None:
    body = {"model": "org/flac", "api_token": TOKEN, "input_text": "hi", "parameters": {"guidance": 3}}
    assert httpx.post(server.url + AUDIO, json=body).status_code == 200
    assert hub.asked[0].path == "/hf-inference/models/org/flac"
    assert hub.asked[0].json == {"inputs": "hi", "parameters": {"guidance": 3}}


def test_curl_sends_the_same(server: LiveServer, hub: InferenceStandIn, tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text(json.dumps({"api_url": hub.url("flac"), "api_token": TOKEN}))
    (tmp_path / "t.txt").write_text(HOSTILE, encoding="utf-8")
    for type_ in ("", ";type=application/json"):
        command = ["curl", "-sS", "--fail", "-o", str(tmp_path / "out.ogg"), server.url + AUDIO]
        command += [
            "-F",
            f"json_description=@{tmp_path}/d.json{type_}",
            "-F",
            f"input_text=@{tmp_path}/t.txt;type=text/plain",
        ]
        subprocess.run(command, check=True, timeout=30)
        assert (tmp_path / "out.ogg").read_bytes()[:4] == b"OggS"
    assert hub.asked[-1].json == {"inputs": HOSTILE}


def test_the_superseded_address_is_rewritten_with_a_note(server: LiveServer, hub: InferenceStandIn) -> None:
    response = sound(server, "https://api-inference.huggingface.co/models/org/flac")
    assert response.status_code == 200
    assert "superseded" in response.headers["x-hosted-note"]
    assert hub.asked[0].host == ROUTER


def test_a_local_voice_speaks_without_anybody_else(server: LiveServer, hub: InferenceStandIn) -> None:
    for name in ("alpha", "beta", "default", ""):
        response = sound(server, f"local:{name}", "Hello there.", token=None)
        assert response.status_code == 200, response.text
        level = np.median(decode_with_libsndfile(response.content).samples)
        assert level == pytest.approx(0.125 if name == "beta" else 0.0625, abs=0.01)
    assert sound(server, "local:nobody", token=None).status_code == 404
    assert hub.asked == []


# -- image to text


JPEG, PNG, WEBP = picture("mjpeg"), picture("png"), picture("libwebp")


@pytest.mark.parametrize(
    ("image", "kind"),
    [(JPEG, "image/jpeg"), (PNG, "image/png"), (WEBP, "image/webp"), (PNG, "application/octet-stream")],
)
def test_a_picture_becomes_words(server: LiveServer, hub: InferenceStandIn, image: bytes, kind: str) -> None:
    response = caption(server, hub.url("caption-list"), image, kind)
    assert response.json() == CAPTION
    assert hub.asked[0].body == image
    assert hub.asked[0].content_type == ("image/png" if image is PNG else kind)
    assert hub.asked[0].token == TOKEN


@pytest.mark.parametrize(
    ("behaviour", "field", "result"),
    [
        ("caption-list", "generated_text", [{"generated_text": "two cats on a sofa"}]),
        ("caption-object", "generated_text", "two cats on a sofa"),
        ("caption-object", None, CAPTION[0]),
    ],
)
def test_the_wished_field(
    server: LiveServer, hub: InferenceStandIn, behaviour: str, field: str | None, result: object
) -> None:
    described = {} if field is None else {"desired_output": field}
    assert caption(server, hub.url(behaviour), JPEG, **described).json() == result


def test_half_a_character_of_a_model_is_no_fault_of_the_server(server: LiveServer, hub: InferenceStandIn) -> None:
    answer = caption(server, hub.url("caption-half"), PNG, "image/png")
    assert answer.status_code == 200, answer.text
    assert answer.json() == [{"generated_text": "half a ? pair, a whole \N{GRINNING FACE}", "?": [["?"]]}]


def test_a_field_that_is_not_there(server: LiveServer, hub: InferenceStandIn) -> None:
    response = caption(server, hub.url("caption-list"), JPEG, desired_output="colour")
    assert response.status_code == 502
    assert response.json()["error"]["param"] == "desired_output"


def test_a_picture_in_base64(server: LiveServer, hub: InferenceStandIn) -> None:
    for prefix in ("", "data:image/png;base64,"):
        image = prefix + base64.b64encode(PNG).decode()
        body = {"api_url": hub.url("caption-object"), "api_token": TOKEN, "input_image": image}
        response = httpx.post(server.url + TEXT, json={**body, "desired_output": "generated_text"})
        assert response.json() == "two cats on a sofa"
    assert httpx.post(server.url + TEXT, json={**body, "input_image": "%%%"}).status_code == 400


@pytest.mark.parametrize(
    ("image", "kind", "status"),
    [
        (b"GIF89a" + bytes(40), "image/gif", 415),
        (b"GIF89a" + bytes(40), "image/png", 400),
        (PNG, "image/jpeg", 415),
        (JPEG, "text/plain", 415),
        (PNG[:20], "image/png", 400),
        (b"", "image/png", 400),
        (PNG[:16] + b"\x7f\xff\xff\xff" * 2 + PNG[24:], "image/png", 400),
    ],
)
def test_a_picture_is_looked_at_before_it_leaves(
    server: LiveServer, hub: InferenceStandIn, image: bytes, kind: str, status: int
) -> None:
    response = caption(server, hub.url("caption-list"), image, kind)
    assert response.status_code == status
    assert response.json()["error"]["param"] == "input_image"
    assert hub.asked == []


def test_pictures_are_read_here_only_where_a_reader_is(server: LiveServer) -> None:
    response = caption(server, "local:ocr", PNG, "image/png")
    assert response.status_code in (200, 503)
    if response.status_code == 503:
        assert "vivavoce[ocr]" in response.json()["error"]["message"]
    assert caption(server, "local:alpha", PNG, "image/png").status_code == 400


# -- what is wrong with a request


@pytest.mark.parametrize(
    ("description", "sentence"),
    [
        ("not json", "json_description is invalid: "),
        ("[1]", "json_description is invalid: "),
        ('{"api_url": NaN}', "json_description is invalid: "),
        ("{}", "api_url or api_token missing from json_description"),
        ('{"api_token": "hf_x"}', "api_url or api_token missing from json_description"),
        (f'{{"api_url": "https://{ROUTER}/hf-inference/models/x"}}', "api_url or api_token missing"),
        (f'{{"api_url": "https://{ROUTER}/x", "api_token": ""}}', "api_url or api_token missing"),
        (f'{{"api_url": "https://{ROUTER}/x", "api_token": "a\\r\\nHost: b"}}', "api_token is no token"),
        (f'{{"api_url": "https://{ROUTER}/x", "api_token": 7}}', "api_token is no token"),
        (f'{{"api_url": "https://{ROUTER}/x", "api_token": "t", "parameters": 7}}', "parameters must be an object"),
        ('{"model": "../../x", "api_token": "t"}', "organisation/name"),
        ('{"api_url": "https://127.0.0.1/", "api_token": "t"}', "not on a host that is called from here"),
        ('{"api_url": "http://router.huggingface.co/", "api_token": "t"}', "must begin with https"),
    ],
)
def test_a_wrong_description_is_told(
    server: LiveServer, hub: InferenceStandIn, description: str, sentence: str
) -> None:
    files = {
        "json_description": ("d.json", description, "application/json"),
        "input_text": ("t.txt", "hello", "text/plain"),
    }
    response = httpx.post(server.url + AUDIO, files=files)
    assert response.status_code == 400
    assert sentence in response.json()["error"]["message"]
    assert hub.dialled == []


GOOD = {"json_description": ("d.json", "{}", "application/json"), "input_text": ("t.txt", "x", "text/plain")}


@pytest.mark.parametrize(
    ("name", "part", "status"),
    [
        ("json_description", None, 400),
        ("input_text", None, 400),
        ("json_description", ("d.json", "{}", "text/html"), 415),
        ("json_description", ("d.json", "x" * 70_000, "application/json"), 400),
        ("input_text", ("t.txt", "x", "audio/mpeg"), 415),
        ("input_text", ("t.txt", b"\xff", "text/plain"), 400),
    ],
)
def test_a_wrong_form_is_told(server: LiveServer, name: str, part: Any, status: int) -> None:
    files = {**GOOD, name: part}
    response = httpx.post(server.url + AUDIO, files={key: value for key, value in files.items() if value is not None})
    assert (response.status_code, response.json()["error"]["param"]) == (status, name)


@pytest.mark.parametrize(
    ("text", "code"), [("", "empty_input"), (" \n\t", "empty_input"), ("x" * 4097, "string_above_max_length")]
)
def test_a_text_has_a_length(server: LiveServer, hub: InferenceStandIn, text: str, code: str) -> None:
    response = sound(server, hub.url("flac"), text)
    assert (response.status_code, response.json()["error"]["code"]) == (400, code)
    assert hub.asked == []


def test_a_format_that_is_none_of_ours(server: LiveServer, hub: InferenceStandIn) -> None:
    response = sound(server, hub.url("flac"), query="?format=midi")
    assert response.json()["error"]["code"] == "unsupported_format"
    assert httpx.post(server.url + AUDIO, content=b"x", headers={"content-type": "text/plain"}).status_code == 415


# -- how others fail


@pytest.mark.parametrize(
    ("behaviour", "status", "sentence"),
    [
        ("broke", 502, "402: You have exceeded"),
        ("busy", 429, "429: Rate limit reached"),
        ("missing", 502, "404: Not Found"),
        ("gone", 502, "410"),
        ("wrong-token", 502, "401: Invalid credentials"),
        ("bare-500", 502, "500: it gave no reason"),
        ("false-ok", 502, "CUDA out of memory"),
        ("page", 502, "text/html"),
        ("junk", 502, "no sound that is read here"),
        ("empty", 502, "no sound that is read here"),
        ("metadata", 502, "redirects to another host"),
        ("echo", 502, "bad header Bearer ***"),
    ],
)
def test_failures_are_errors_and_not_sound(
    server: LiveServer, hub: InferenceStandIn, behaviour: str, status: int, sentence: str
) -> None:
    response = sound(server, hub.url(behaviour))
    assert response.status_code == status
    assert sentence in response.json()["error"]["message"]
    assert TOKEN not in response.text
    assert response.headers.get("retry-after") == ("7" if behaviour == "busy" else None)
    assert ("x-should-retry" in response.headers) == (behaviour in ("broke", "missing", "gone", "wrong-token", "echo"))


def test_half_a_sound_is_not_a_whole_one() -> None:
    cut = pytest.raises(httpx.RemoteProtocolError)  # sound had left: dropped, never ended as if it were whole
    with InferenceStandIn(seconds=30.0) as hub, hosting(hub) as server, cut:
        sound(server, hub.url("half"), query="?format=flac")
    with InferenceStandIn(seconds=0.2) as hub, hosting(hub) as server:
        response = sound(server, hub.url("half"))  # nothing had left yet
        assert (response.status_code, response.json()["error"]["code"]) == (502, "hosted_model_failed")


def test_a_name_that_leads_home_is_refused(server: LiveServer, hub: InferenceStandIn) -> None:
    with socket.create_server(("127.0.0.1", 0)) as ears:
        ears.setblocking(False)
        hub.addresses["x.endpoints.huggingface.cloud"] = [["127.0.0.1"], [PUBLIC]]
        response = sound(server, "https://x.endpoints.huggingface.cloud/flac")
        assert response.json()["error"]["code"] == "address_refused"
        with pytest.raises(BlockingIOError):
            ears.accept()
    assert hub.dialled == []


# -- off, keys, shares


def test_it_is_off_unless_it_is_switched_on(hub: InferenceStandIn) -> None:
    with hosting(hub, hosted=False) as server:
        response = sound(server, hub.url("flac"))
        assert response.status_code == 403
        assert "hosted = true" in response.json()["error"]["message"]
        assert caption(server, hub.url("caption-list"), JPEG).status_code == 403
        assert sound(server, "local:alpha", "Hello.").status_code == 200
    assert hub.looked_up == []


def test_the_servers_own_token_is_for_those_with_a_key(hub: InferenceStandIn) -> None:
    own = (f"{ROUTER}=hf_of_the_server",)
    with hosting(hub, hosted_tokens=own) as server:  # no keys: everybody is a stranger
        assert sound(server, hub.url("flac"), token=None).status_code == 400
    with hosting(hub, hosted_tokens=own, api_keys=(KEY,)) as server:
        assert sound(server, hub.url("flac"), token=None).status_code == 401
        body = {"api_url": hub.url("flac"), "input_text": "hello"}
        assert httpx.post(server.url + AUDIO, json=body, headers={"x-api-key": KEY}).status_code == 200
        assert hub.asked[-1].token == "hf_of_the_server"
        body["api_url"] = "https://x.endpoints.huggingface.cloud/flac"  # another host: no token of ours goes there
        assert httpx.post(server.url + AUDIO, json=body, headers={"x-api-key": KEY}).status_code == 400
    assert len(hub.asked) == 1


def test_one_caller_does_not_take_every_call(hub: InferenceStandIn) -> None:
    with hosting(hub, hosted_max_calls=4) as server:
        held = [threading.Thread(target=sound, args=(server, hub.url("held"))) for _ in range(1)]
        for thread in held:
            thread.start()
        wait_until(lambda: hub.counts.get("held", 0) == 1)
        response = sound(server, hub.url("flac"))
        assert (response.status_code, response.json()["error"]["code"]) == (429, "rate_limit_exceeded")
        hub.released.set()
        for thread in held:
            thread.join(20)


# -- streaming


def test_sound_leaves_while_it_still_arrives(server: LiveServer, hub: InferenceStandIn) -> None:
    body = {"api_url": hub.url("held"), "api_token": TOKEN, "input_text": "hello", "format": "mp3"}
    with httpx.stream("POST", server.url + AUDIO, json=body, timeout=30) as response:
        parts = response.iter_raw()
        assert next(parts)
        assert not hub.released.is_set()  # the other half is still to be sent
        hub.released.set()
        assert b"".join(parts)


def test_who_goes_away_stops_the_upstream(server: LiveServer, hub: InferenceStandIn) -> None:
    gone = {"route": "hosted", "outcome": "client_gone", "reason": ""}
    before = server.metric("voice_requests_total", **gone)
    body = {"api_url": hub.url("held"), "api_token": TOKEN, "input_text": "hello", "format": "mp3"}
    with httpx.stream("POST", server.url + AUDIO, json=body, timeout=30) as response:
        parts = response.iter_raw()  # kept: an iterator that is dropped closes the connection
        next(parts)
        assert hub.hung_up_s is None
    wait_until(lambda: hub.hung_up_s is not None)  # in mid-answer; how soon is measured in benchmarks
    wait_until(lambda: server.metric("voice_requests_total", **gone) == before + 1)


def test_who_goes_away_before_the_first_byte_does_too(server: LiveServer, hub: InferenceStandIn) -> None:
    body = {"api_url": hub.url("slow"), "api_token": TOKEN, "input_text": "hello"}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(server.url + AUDIO, json=body, timeout=0.5)
    wait_until(lambda: "watch-disconnect" not in server.tasks())
    hub.released.set()


def test_much_music_streams_through_and_memory_stays_flat(server: LiveServer, hub: InferenceStandIn) -> None:
    body = {"api_url": hub.url("music-25"), "api_token": TOKEN, "input_text": "hello", "format": "flac"}
    received = 0
    tracemalloc.start()
    try:
        with httpx.stream("POST", server.url + AUDIO, json=body, timeout=60) as response:
            for part in response.iter_raw():
                received += len(part)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert received > 10_000_000
    assert peak < 12_000_000  # server, stand-in and client together


def test_an_answer_over_the_limit_is_cut_off(hub: InferenceStandIn) -> None:
    with hosting(hub, hosted_max_mib=1) as server, pytest.raises(httpx.RemoteProtocolError):
        sound(server, hub.url("endless"))
    wait_until(lambda: hub.hung_up_s is not None)


def test_nothing_tells_the_token(hub: InferenceStandIn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with hosting(hub) as server:
        for behaviour in ("flac", "echo", "busy"):
            sound(server, hub.url(behaviour), "a text of nobody else's business")
        metrics = httpx.get(server.url + "/metrics").text
    told = "".join(repr(vars(record)) for record in caplog.records) + metrics
    assert TOKEN not in told
    assert "nobody else's" not in told


def test_the_documents_examples_run(hub: InferenceStandIn, server: LiveServer) -> None:
    """Just as they stand there: by this server, and by a model elsewhere."""
    document = httpx.get(server.url + "/openapi.json").json()
    for path, field in ((AUDIO, "input_text"), (TEXT, "input_image")):
        content = document["paths"][path]["post"]["requestBody"]["content"]
        assert set(content) == {"application/json", "multipart/form-data"}
        here, elsewhere = (content["application/json"]["examples"][name]["value"] for name in ("here", "elsewhere"))
        assert not hub.asked
        response = httpx.post(server.url + path, json=here, timeout=60)  # a picture is read by an extra
        assert response.status_code in ((200,) if path == AUDIO else (200, 503)), response.text
        response = httpx.post(server.url + path, json=elsewhere, timeout=60)
        assert response.status_code == 200, response.text
        (asked,) = hub.asked
        assert (asked.host, asked.token) == (ROUTER, "hf_...")
        if path == AUDIO:
            assert asked.json["inputs"] == elsewhere[field]
            assert len(decode_with_ffmpeg(response.content).samples) > 5000
        else:
            assert asked.body == base64.b64decode(elsewhere[field])
            assert response.json() == [{"generated_text": "two cats on a sofa"}]
        hub.forget()
