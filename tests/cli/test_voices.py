"""The command `vivavoce voices`, from adding to removing, and what it says when something is wrong."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from synthetic_genie_data import reference_clip
from vivavoce.cli.main import main
from vivavoce.cli.progress import ProgressBar
from voice_packs import TEXT, make_pack, zip_pack

CLIP = ["--audio", str(reference_clip().path), "--text", TEXT]


class Shell:
    """Runs the command in a folder of its own and keeps what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *arguments: str | Path) -> int:
        with pytest.raises(SystemExit) as left:
            main(["voices", *map(str, arguments)])
        self.out, self.err = self._capsys.readouterr()
        return int(left.value.code or 0)


@pytest.fixture
def voices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIVAVOCE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("VIVAVOCE_VOICES", raising=False)
    return Shell(capsys)


def test_an_empty_list_says_what_to_do(voices: Shell) -> None:
    assert voices("list") == 0
    assert "vivavoce voices pull mika" in voices.out


def test_add_list_clone_check_remove(voices: Shell, tmp_path: Path) -> None:
    assert voices("add", make_pack(tmp_path / "source" / "Anna", version="v2")) == 0, voices.err
    assert "voice 'anna' (v2, ja" in voices.out
    assert "adding: 100%" in voices.err

    assert voices("add", tmp_path / "source" / "Anna") == 3
    assert "there is a voice 'anna' already" in voices.err

    assert voices("clone", "Anna sad", "--base", "anna", *CLIP) == 0
    assert "on anna) is in" in voices.out

    assert voices("list", "--json") == 0
    listed = {voice["id"]: voice for voice in json.loads(voices.out)}
    assert listed.keys() == {"anna", "anna-sad"}
    assert (listed["anna-sad"]["base"], listed["anna-sad"]["problem"]) == ("anna", None)

    assert voices("check", "anna-sad", "--files-only") == 0
    assert "every checksum is right" in voices.out

    assert voices("remove", "anna") == 3
    assert "lends its weights to anna-sad" in voices.err
    assert voices("remove", "anna-sad", "anna") == 0
    assert voices("list") == 0
    assert "No GPT-SoVITS voices" in voices.out


def test_damage_is_told_and_trusted_on_request(voices: Shell, tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "voices" / "anna", version="v2")
    assert voices("check", "anna", "--files-only") == 0
    weights = pack / "tts_models" / "t2s_encoder_fp32.bin"
    content = bytearray(weights.read_bytes())
    content[400] ^= 1
    weights.unlink()
    weights.write_bytes(content)
    assert voices("check", "anna", "--files-only") == 3
    assert "t2s_encoder_fp32.bin is damaged" in voices.err
    assert voices("check", "anna", "--files-only", "--trust") == 0
    assert voices("check", "anna", "--files-only") == 0
    weights.write_bytes(content[:-1])
    assert voices("list") == 0
    assert "t2s_encoder_fp32.bin is truncated" in voices.out


def test_a_bare_folder_and_a_folder_of_ones_own(voices: Shell, tmp_path: Path) -> None:
    bare = make_pack(tmp_path / "bare", "bare", version="v2")
    assert voices("add", bare) == 3
    assert "--audio FILE --text TEXT" in voices.err
    assert voices("add", bare, "--voices", tmp_path / "mine", "--name", "anna", *CLIP, "--language", "ja") == 0
    assert (tmp_path / "mine" / "anna" / "voice.json").is_file()
    assert voices("list", "--voices", tmp_path / "mine") == 0
    assert "anna" in voices.out
    assert voices("list") == 0
    assert "anna" not in voices.out.replace("voices pull", "")


def test_a_zip(voices: Shell, tmp_path: Path) -> None:
    archive = zip_pack(make_pack(tmp_path / "source", version="v2"), tmp_path / "anna.zip", "anna/")
    assert voices("add", archive) == 0, voices.err
    assert "voice 'anna' (v2" in voices.out
    (tmp_path / "bad.zip").write_bytes(b"no archive")
    assert voices("add", tmp_path / "bad.zip") == 3
    assert "the archive is damaged" in voices.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "nowhere"), "there is no 'nowhere'"),
        (("add", "."), "holds no voice"),
        (("add", ".", "--audio", "x.wav"), "--audio and --text go together"),
        (("add", ".", "--audio", "x.wav", "--text", "x"), "there is no file 'x.wav'"),
        (("clone", "x", "--base", "y", *CLIP), "unknown voice 'y'"),
        (("check", "../x"), "unknown voice"),
        (("remove", "x"), "unknown voice 'x'"),
        (("convert", "--ckpt", "a", "--pth", "b", "out"), "--ckpt: there is no file 'a'"),
    ],
)
def test_sentences(voices: Shell, arguments: tuple[str, ...], said: str) -> None:
    assert voices(*arguments) == 3
    assert said in voices.err
    assert voices.err.startswith("vivavoce: ")
    assert "Traceback" not in voices.err


def test_an_unknown_character_lists_the_known_ones(voices: Shell) -> None:
    assert voices("pull", "nobody") == 2
    assert "mika" in voices.err


@pytest.mark.parametrize("command", ["list", "add", "pull", "prepare", "convert", "clone", "check", "remove"])
def test_every_command_explains_itself(voices: Shell, command: str) -> None:
    assert voices(command, "--help") == 0
    assert "--voices DIR" in voices.out
    if command not in ("list", "prepare", "remove"):
        assert f"vivavoce voices {command} " in voices.out.partition("xample")[2]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_a_bar_on_a_terminal_and_a_few_lines_in_a_log() -> None:
    log, terminal = io.StringIO(), Terminal()
    for out in (log, terminal):
        with ProgressBar("pulling", out) as progress:
            for step in range(101):
                progress("a.bin", step / 100)
    assert len(log.getvalue().splitlines()) == 11
    assert log.getvalue().splitlines()[-1] == "pulling: 100% a.bin"
    assert terminal.getvalue().count("\n") == 1
    assert "[########################] 100% a.bin" in terminal.getvalue()
