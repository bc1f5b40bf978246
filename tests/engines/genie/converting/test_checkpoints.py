"""Checkpoints told apart by their shapes, and refused unopened when they ask for more than tensors. Without torch."""

from __future__ import annotations

import importlib.util
import io
import os
import pickle
import subprocess
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest

from vivavoce.engines.genie.converting.checkpoints import Shapes, open_checkpoint, require_convertible, sovits_version
from vivavoce.errors import VoicePackError
from vivavoce.voices.convert import convert

GPT = {
    "v1": {"model.ar_text_embedding.word_embeddings.weight": (512, 512)},
    "v2": {"model.ar_text_embedding.word_embeddings.weight": (732, 512)},
}
# What tells the generations of SoVITS apart; shapes as in the published models.
SOVITS: dict[str, Shapes] = {
    "v1": {"enc_p.text_embedding.weight": (322, 192), "dec.conv_pre.weight": (512, 192, 7)},
    "v2": {"enc_p.text_embedding.weight": (732, 192), "dec.conv_pre.weight": (512, 192, 7)},
    "v2Pro": {
        "enc_p.text_embedding.weight": (732, 192),
        "dec.conv_pre.weight": (512, 192, 7),
        "sv_emb.weight": (1024, 20480),
    },
    "v2ProPlus": {
        "enc_p.text_embedding.weight": (732, 192),
        "dec.conv_pre.weight": (768, 192, 7),
        "sv_emb.weight": (1024, 20480),
    },
    "v3": {
        "enc_p.text_embedding.weight": (732, 192),
        "cfm.estimator.norm_out.weight": (1024,),
        "bridge.0.weight": (512, 192, 1),
    },
}


@pytest.mark.parametrize("version", ["v2", "v2ProPlus"])
def test_what_can_be_converted(version: str) -> None:
    assert require_convertible(GPT["v2"], SOVITS[version]) == version


@pytest.mark.parametrize(
    ("version", "mark", "said"),
    [
        ("v1", None, "a v1 model"),
        ("v2Pro", None, "a v2Pro model"),
        ("v2Pro", "v2Pro", "a v2Pro model"),
        ("v3", "v3", "a v3 model"),
        ("v3", "v4", "a v4 model"),
        ("v3", None, "a v3 or v4 model"),
    ],
)
def test_what_cannot_be_converted_is_called_by_its_name(version: str, mark: str | None, said: str) -> None:
    with pytest.raises(VoicePackError, match=f"{said}; only v2 and v2ProPlus"):
        require_convertible(GPT["v2"], SOVITS[version], mark)


def test_pairs_that_do_not_fit() -> None:
    with pytest.raises(VoicePackError, match="do not fit"):
        require_convertible(GPT["v1"], SOVITS["v2"])
    with pytest.raises(VoicePackError, match="wants the GPT model"):
        require_convertible(SOVITS["v2"], SOVITS["v2"])
    with pytest.raises(VoicePackError, match="no SoVITS model"):
        require_convertible(GPT["v2"], GPT["v2"])
    with pytest.raises(VoicePackError, match="no GPT model"):
        require_convertible({}, SOVITS["v2"])
    assert sovits_version({"enc_p.text_embedding.weight": (99, 192), "dec.conv_pre.weight": (512, 192, 7)}) == "unknown"


class Evil:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {self.marker}",)


def checkpoint(path: Path, content: object, *, protocol: int = 2, mark: bytes = b"") -> Path:
    """A file laid out as torch lays out its own."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(content, protocol=protocol))
        archive.writestr("archive/version", "3\n")
    data = buffer.getvalue()
    path.write_bytes(mark + data[len(mark) :])
    return path


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_hostile_pickle_is_not_opened(tmp_path: Path, protocol: int) -> None:
    hostile = checkpoint(tmp_path / "voice.pth", {"weight": {}, "x": Evil(tmp_path / "ran")}, protocol=protocol)
    with pytest.raises(VoicePackError, match="it was not opened"):
        open_checkpoint(hostile)
    assert not (tmp_path / "ran").exists()
    with zipfile.ZipFile(hostile) as archive:  # the negative control: this pickle is live
        pickle.loads(archive.read("archive/data.pkl"))
    assert (tmp_path / "ran").exists()


def test_a_plain_checkpoint_is_read_whatever_its_mark(tmp_path: Path) -> None:
    for mark, expected in ((b"", None), (b"05", "v2Pro"), (b"06", "v2ProPlus"), (b"03", "v3"), (b"04", "v4")):
        archive, told = open_checkpoint(checkpoint(tmp_path / "a.pth", OrderedDict(weight={}), mark=mark))
        assert told == expected
        assert zipfile.ZipFile(archive).testzip() is None


@pytest.mark.parametrize("content", [b"", b"PK", b"\x80\x02}q\x00.", b"06" + bytes(100), b"hello" * 100])
def test_no_checkpoint(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(VoicePackError, match="no checkpoint"):
        open_checkpoint(tmp_path / "a.pth")


def test_a_damaged_pickle(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}q\x00(X")
    with pytest.raises(VoicePackError, match="no checkpoint"):
        open_checkpoint(tmp_path / "a.pth")


@pytest.mark.parametrize("hostile", ["--ckpt", "--pth"])
def test_the_command_refuses_hostile_files_and_leaves_nothing(tmp_path: Path, hostile: str) -> None:
    files = {flag: checkpoint(tmp_path / f"a{flag}", {"weight": {}}) for flag in ("--ckpt", "--pth")}
    checkpoint(files[hostile], {"weight": {}, "x": Evil(tmp_path / "ran")})
    told: list[str] = []
    with pytest.raises(VoicePackError, match=r"it was not opened|needs torch|no weights|no GPT model") as refused:
        convert(files["--ckpt"], files["--pth"], tmp_path / "out", lambda what, fraction: told.append(what))
    if hostile == "--ckpt":
        assert "posix.system" in refused.value.message
    assert told == ["reading the checkpoints"]
    assert list((tmp_path / "out").iterdir()) == []
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="shows what is said where torch is absent")
def test_without_torch_it_says_what_to_install(tmp_path: Path) -> None:
    files = [checkpoint(tmp_path / name, {"weight": {}}) for name in ("a.ckpt", "a.pth")]
    with pytest.raises(VoicePackError, match=r"pip install 'vivavoce\[convert\]'"):
        convert(files[0], files[1], tmp_path / "out")


def test_what_is_wrong_with_the_arguments(tmp_path: Path) -> None:
    with pytest.raises(VoicePackError, match="--ckpt: there is no file"):
        convert(tmp_path / "no.ckpt", tmp_path / "no.pth", tmp_path / "out")
    plain = checkpoint(tmp_path / "a.pth", {})
    with pytest.raises(VoicePackError, match="not an empty folder"):
        convert(plain, plain, tmp_path)


def test_the_server_never_imports_torch_or_the_converter() -> None:
    imports = (
        "import sys, vivavoce.voices.install, vivavoce.voices.convert, vivavoce.engines.genie.converting.checkpoints"
    )
    probe = f"{imports}\nprint(any(name.endswith(('torch', 'convert_checkpoint')) for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"
