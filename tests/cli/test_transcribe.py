"""`vivavoce transcribe` over a fake recognizer, and once with the model that is installed."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fake_recognizer import FakeRecognizer
from loudness import Loudness
from recordings import wav
from vivavoce.app.listener import build_transcriber
from vivavoce.cli import transcribe
from vivavoce.cli.main import main

Run = Callable[..., tuple[int, str, str]]
SOUND = np.concatenate([np.full(8000, 0.25, np.float32), np.zeros(16_000, np.float32)] * 2)


@pytest.fixture
def ears() -> FakeRecognizer:
    return FakeRecognizer(("whisper-base",))


@pytest.fixture
def run(
    ears: FakeRecognizer,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
    logging_restored: None,
) -> Run:
    def build(config: Any, metrics: Any, machine: Any) -> Any:
        return build_transcriber(config, metrics, machine, [ears], Loudness())

    monkeypatch.setattr(transcribe, "build_transcriber", build)

    def ran(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(["transcribe", *arguments])
        captured = capsysbinary.readouterr()
        return int(end.value.code or 0), captured.out.decode(), captured.err.decode()

    return ran


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(SOUND, 16_000))
    return path


def test_the_words(run: Run, sound: Path) -> None:
    status, out, err = run(str(sound))
    assert (status, err) == (0, "")
    assert out.startswith("w25 ")
    assert out.endswith("\n")


def test_from_standard_input(run: Run, sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(sound.read_bytes())))
    assert run("-")[1].startswith("w25 ")


@pytest.mark.parametrize(("name", "begins"), [("a.srt", "1\n"), ("a.vtt", "WEBVTT"), ("a.json", "{"), ("a.txt", "w25")])
def test_the_format_follows_the_name(run: Run, sound: Path, tmp_path: Path, name: str, begins: str) -> None:
    status, out, _ = run(str(sound), "-o", str(tmp_path / name))
    assert (status, out) == (0, "")
    assert (tmp_path / name).read_text().startswith(begins)


def test_words_and_options(run: Run, sound: Path, ears: FakeRecognizer) -> None:
    _, out, _ = run(str(sound), "--format", "verbose_json", "--words", "--language", "Portuguese", "--prompt", "Ulm")
    assert json.loads(out)["words"][0]["word"] == "w25"
    options = ears.streams[0].options
    assert (options.language, options.prompt, options.word_times) == ("pt", "Ulm", True)


def test_words_of_what_is_only_written_down(run: Run, sound: Path) -> None:
    told = ("--translate", "--to", "pt", "--language", "pt", "--words", "--format", "verbose_json")
    assert json.loads(run(str(sound), *told)[1])["words"][0]["word"] == "w25"


def test_progress_on_long_files(run: Run, sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcribe, "LONG_S", 1.0)
    _, _, err = run(str(sound))
    assert "transcribe:" in err
    assert "3 s of sound heard in" in err
    assert run(str(sound), "--quiet")[2] == ""


def test_progress_goes_on_through_silence(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    silence = np.zeros(197 * 16_000, np.float32)  # before the words: while they are decoded the position stands
    path.write_bytes(wav(np.concatenate([silence, SOUND]), 16_000))
    status, out, err = run(str(path))
    assert (status, out[:4]) == (0, "w25 ")
    told = [int(line.split("%")[0].split()[-1]) for line in err.splitlines() if line.startswith("transcribe:")]
    assert told == sorted(told)
    assert len({percent // 10 for percent in told}) >= 8  # it looks at 20 s at once
    assert "transcribe: 100% 200 of 200 s" in err


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        ((), 3, "name a file"),
        (("/nowhere/a.wav",), 3, "cannot read /nowhere/a.wav: No such file or directory"),
        (("SOUND", "--live"), 3, "name a file"),
        (("SOUND", "--model", "nobody"), 3, "unknown model 'nobody'"),
        (("SOUND", "--language", "klingon"), 2, "unknown language 'klingon'"),
        (("SOUND", "--language", "fr"), 3, "understands: en, pt"),
        (("SOUND", "--translate", "--to", "fr"), 3, "do not translate into fr; pairs: en-pt, pt-en"),
        (("SOUND", "--to", "pt"), 3, "--to says into which language"),
        (("SOUND", "--translate", "--to", "pt", "--words"), 3, "the words of a translation have no times of their own"),
        (("SOUND", "--translate", "--to", "elvish"), 2, "unknown language 'elvish'"),
        (("SOUND", "-o", "/nowhere/a.txt"), 3, "cannot write /nowhere/a.txt"),
        ((__file__,), 3, "the file is not WAV"),
    ],
)
def test_what_it_says_when_it_cannot(
    run: Run, sound: Path, arguments: tuple[str, ...], status: int, sentence: str
) -> None:
    ended, out, err = run(*(str(sound) if each == "SOUND" else each for each in arguments))
    assert (ended, out) == (status, "")
    assert sentence in err


def test_the_microphone(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program stands in for the one that records; it ends, as a microphone does that is pulled out."""
    raw = tmp_path / "a.raw"
    raw.write_bytes(np.rint(SOUND * 32767).astype("<i2").tobytes())
    monkeypatch.setattr(transcribe, "RECORDERS", (("no-such-program",), ("cat", str(raw))))
    status, out, err = run("--live")
    assert status == 0, err
    assert [line.split()[0] for line in out.splitlines()] == ["w25", "w25"]


def test_no_microphone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcribe, "RECORDERS", (("no-such-program",),))
    assert "nothing here can record: install one of no-such-program" in run("--live")[2]
    monkeypatch.setattr(transcribe, "RECORDERS", (("false",),))
    status, _, err = run("--live")
    assert status == 3
    assert "false could not record (status 1); is there a microphone?" in err
