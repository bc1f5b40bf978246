"""What a GPT-SoVITS checkpoint is, told without opening its pickle: which classes it asks for, which model it holds.

A `.ckpt` or `.pth` is a zip with a pickle inside, and unpickling runs whatever the file says. So the pickle's opcodes
are read first and every name in it compared with the short list a checkpoint needs; a file that asks for anything else
is refused before torch sees it. The version is told from the shapes of the weights, because the size of the file, by
which Genie's own converter goes, takes a v2Pro model for v2. Needs no torch. Called by `convert_checkpoint.py`.
"""

from __future__ import annotations

import io
import pickletools
import zipfile
from collections.abc import Mapping
from pathlib import Path

from vivavoce.errors import VoicePackError
from vivavoce.voices.fingerprints import Version

Shapes = Mapping[str, tuple[int, ...]]

MAX_PICKLE_BYTES = 64 << 20  # a real one has 0.2 MB: names and shapes, no numbers
_STORAGES = ("Float", "Half", "BFloat16", "Double", "Long", "Int", "Short", "Char", "Byte", "Bool")
ALLOWED_NAMES = frozenset(
    {"collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter", "torch.Size"}
    | {"utils.HParams"}  # the settings of a fine-tuned SoVITS model; an inert class of ours stands in for it
    | {f"torch.{kind}Storage" for kind in _STORAGES}
)
# GPT-SoVITS marks newer SoVITS files by their first two bytes, where a zip has "PK".
_MARKS = {b"00": "v1", b"01": "v2", b"02": "v3", b"03": "v3", b"04": "v4", b"05": "v2Pro", b"06": "v2ProPlus"}

_TEXT_SYMBOLS = {322: "v1", 512: "v1", 732: "v2"}  # rows of the phoneme tables of SoVITS (322) and GPT (512)


def open_checkpoint(path: Path) -> tuple[io.BytesIO, str | None]:
    """The checkpoint as a plain zip, and the version its first bytes claim (None where they claim nothing).

    Raises:
        VoicePackError: If it is no checkpoint, or asks for more than tensors when opened.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise VoicePackError(f"'{path.name}' cannot be read: {error.strerror}") from error
    mark = _MARKS.get(content[:2])
    if mark is not None:
        content = b"PK" + content[2:]
    archive = io.BytesIO(content)
    for name in names_asked_for(archive, path.name):
        if name not in ALLOWED_NAMES:
            raise VoicePackError(
                f"'{path.name}' asks for '{name}' when it is opened, which no checkpoint needs; it was not opened"
            )
    archive.seek(0)
    return archive, mark


def names_asked_for(archive: io.BytesIO, name: str) -> set[str]:
    """Every class and function the pickle in a checkpoint would import, as "module.name".

    Raises:
        VoicePackError: If there is no such pickle, or it is not written the way torch writes them.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            pickles = [entry for entry in opened.infolist() if entry.filename.endswith(".pkl")]
            if len(pickles) != 1 or pickles[0].file_size > MAX_PICKLE_BYTES:
                raise VoicePackError(f"'{name}' is no checkpoint of GPT-SoVITS")
            with opened.open(pickles[0]) as file:
                data = file.read(MAX_PICKLE_BYTES + 1)
        asked = set()
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name == "GLOBAL":
                asked.add(str(argument).replace(" ", "."))
            elif opcode.name in ("STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4"):
                raise VoicePackError(f"'{name}' is not written the way torch writes checkpoints; it was not opened")
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, EOFError, IndexError) as error:
        raise VoicePackError(f"'{name}' is no checkpoint of GPT-SoVITS: {error}") from error
    return asked


def require_convertible(gpt: Shapes, sovits: Shapes, mark: str | None = None) -> Version:
    """The version of a pair of checkpoints.

    Args:
        gpt: name -> shape of the weights in the `.ckpt`.
        sovits: the same of the `.pth`.
        mark: what the first bytes of the `.pth` claim.

    Raises:
        VoicePackError: If the pair cannot be converted; the sentence says what it is and what would do.
    """
    if "model.ar_text_embedding.word_embeddings.weight" not in gpt:
        if "enc_p.text_embedding.weight" in gpt:
            raise VoicePackError("--ckpt was given a SoVITS model; it wants the GPT model (the .ckpt file)")
        raise VoicePackError("the .ckpt file holds no GPT model of GPT-SoVITS")
    version = sovits_version(sovits, mark)
    gpt_version = _TEXT_SYMBOLS.get(gpt["model.ar_text_embedding.word_embeddings.weight"][0], "unknown")
    if version not in ("v2", "v2ProPlus"):
        raise VoicePackError(
            f"the .pth file is a {version} model; only v2 and v2ProPlus can be converted. Train the voice again with "
            "GPT-SoVITS set to v2ProPlus (the same recordings do)"
        )
    if gpt_version != "v2":
        raise VoicePackError(f"the .ckpt file is a {gpt_version} model, the .pth file {version}: they do not fit")
    return "v2" if version == "v2" else "v2ProPlus"


def sovits_version(shapes: Shapes, mark: str | None = None) -> str:
    """v1, v2, v2Pro, v2ProPlus, v3 or v4 ("v3 or v4" where nothing tells).

    Raises:
        VoicePackError: If it is no SoVITS model.
    """
    if any(name.startswith("cfm.") for name in shapes):  # a diffusion model in place of the flow and decoder
        return mark if mark in ("v3", "v4") else "v3 or v4"
    symbols = shapes.get("enc_p.text_embedding.weight")
    decoder = shapes.get("dec.conv_pre.weight")
    if symbols is None or decoder is None:
        raise VoicePackError("the .pth file holds no SoVITS model of GPT-SoVITS")
    if _TEXT_SYMBOLS.get(symbols[0]) != "v2":
        return "v1" if symbols[0] in _TEXT_SYMBOLS else "unknown"
    if "sv_emb.weight" not in shapes:
        return "v2"
    return "v2ProPlus" if decoder[0] == 768 else "v2Pro"
