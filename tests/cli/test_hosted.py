"""`vivavoce hosted` over a stand-in of the servers it calls."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from decoders import decode_with_libsndfile
from inference_stand_in import CAPTION, ROUTER, InferenceStandIn
from pictures import picture
from vivavoce.cli.main import main

TOKEN = "hf_of_the_user"


@pytest.fixture(autouse=True)
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, logging_restored: None) -> Iterator[InferenceStandIn]:
    with InferenceStandIn() as hub:
        monkeypatch.setattr("vivavoce.app.hosted.open_transport", hub.transport)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.chdir(tmp_path)
        yield hub


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["hosted", *arguments])
    assert isinstance(left.value.code, int)
    return left.value.code


def test_a_text_becomes_a_file(hub: InferenceStandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = 'rain on a "tin" roof\n'
    assert run("text-to-audio", text, "--model", "org/flac", "--parameters", '{"seed": 3}', "-o", "rain.ogg") == 0
    assert len(decode_with_libsndfile((tmp_path / "rain.ogg").read_bytes()).samples) == pytest.approx(24_000, abs=1)
    asked = hub.asked[0]
    assert (asked.host, asked.path, asked.token) == (ROUTER, "/hf-inference/models/org/flac", TOKEN)
    assert asked.json == {"inputs": text, "parameters": {"seed": 3}}
    assert "1.0 s of sound" in capsys.readouterr().err


def test_sound_on_standard_output(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], hub: InferenceStandIn
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("from standard input"))
    assert run("text-to-audio", "-", "--model", "org/wav", "-o", "-", "--format", "flac", "--quiet") == 0
    out, err = capfdbinary.readouterr()
    assert out[:4] == b"fLaC"
    assert err == b""
    assert hub.asked[0].json == {"inputs": "from standard input"}


def test_a_picture_becomes_words(tmp_path: Path, hub: InferenceStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cats.jpg").write_bytes(picture("mjpeg"))
    assert run("image-to-text", "cats.jpg", "--model", "org/caption-list") == 0
    assert json.loads(capsys.readouterr().out) == CAPTION
    assert run("image-to-text", "cats.jpg", "--model", "org/caption-object", "--field", "generated_text") == 0
    assert capsys.readouterr().out == "two cats on a sofa\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("text-to-audio", "x", "--url", "http://router.huggingface.co/x"), "must begin with https"),
        (("text-to-audio", "x", "--url", "https://127.0.0.1/x"), "not on a host that is called"),
        (("text-to-audio", "x", "--url", "local:heart"), "vivavoce say"),
        (("text-to-audio", " ", "--model", "a/b"), "holds nothing"),
        (("text-to-audio", "x" * 5000, "--model", "a/b"), "the limit is 4096"),
        (("text-to-audio", "x", "--model", "../b"), "organisation/name"),
        (("text-to-audio", "x", "--model", "a/b", "-o", "x.midi"), "unsupported format"),
        (("text-to-audio", "x", "--model", "a/broke"), "402: You have exceeded"),
        (("text-to-audio", "x", "--model", "a/echo"), "bad header Bearer ***"),
        (("image-to-text", "none.jpg", "--model", "a/b"), "cannot read none.jpg"),
    ],
)
def test_what_cannot_be_is_told(
    arguments: tuple[str, ...], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 3
    assert sentence in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_no_token_of_hugging_face_goes_to_other_hosts(hub: InferenceStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVAVOCE_HOSTED_HOSTS", "models.example.org")
    assert run("text-to-audio", "x", "--url", "https://models.example.org/flac") == 0
    assert hub.asked[0].token is None
    assert run("text-to-audio", "x", "--url", "https://x.endpoints.huggingface.cloud/flac") == 0
    assert hub.asked[1].token == TOKEN
