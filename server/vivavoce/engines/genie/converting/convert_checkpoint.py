"""Converts a pair of GPT-SoVITS checkpoints to Genie's files; a program of its own, with torch, that never serves.

    python -m vivavoce.engines.genie.converting.convert_checkpoint --ckpt GPT.ckpt --pth SOVITS.pth OUT

The conversion is genie-tts' own (`genie_tts.Converter`); what differs is how checkpoints are opened and which
conversion is chosen. genie-tts unpickles a `.pth` without any guard and goes by the size of the file; here the pickle's
names are checked, torch loads with `weights_only=True` and nothing else, and the shapes decide. genie_tts itself is not
imported, only its converter modules: its package asks questions on standard input when GenieData is absent.

Prints one line `progress FRACTION WHAT` a stage. An error is one sentence on standard error and exit code 3.
Started by `vivavoce.voices.convert`.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import logging
import sys
import tempfile
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vivavoce.engines.genie.converting.checkpoints import open_checkpoint, require_convertible
from vivavoce.errors import VivaVoceError, VoicePackError
from vivavoce.voices.fingerprints import Version, wrong_length

Weights = Mapping[str, Any]  # name -> torch.Tensor

T2S_KEYS = "Data/v2/Keys/t2s_onnx_keys.txt"
VITS_KEYS: Mapping[Version, str] = {
    "v2": "Data/v2/Keys/vits_onnx_keys.txt",
    "v2ProPlus": "Data/v2ProPlus/Keys/vits_weights.txt",
}
PROMPT_KEYS = "Data/v2ProPlus/Keys/prompt_encoder_weights.txt"


class HParams:
    """Stands in for the settings object in a fine-tuned SoVITS file; it only keeps what is put into it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Convert; 0 when it worked, 3 after a sentence on standard error."""
    parser = argparse.ArgumentParser(prog="convert_checkpoint", description="GPT-SoVITS checkpoints to Genie's files.")
    parser.add_argument("--ckpt", type=Path, required=True, help="GPT weights")
    parser.add_argument("--pth", type=Path, required=True, help="SoVITS weights")
    parser.add_argument("out", type=Path, help="empty folder to write to")
    args = parser.parse_args(argv)
    logging.disable(logging.WARNING)
    try:
        version = convert(args.ckpt, args.pth, args.out, progress=_print_progress)
    except VivaVoceError as error:
        print(error.message, file=sys.stderr)  # noqa: T201
        return 3
    print(f"version {version}")  # noqa: T201
    return 0


def convert(ckpt: Path, pth: Path, out: Path, progress: Callable[[float, str], None]) -> Version:
    """Write the files of the voice into `out`.

    Raises:
        VoicePackError: If a package is missing, a checkpoint is refused or of a version that is not supported, or a
            weight is missing.
    """
    package = _genie_package()
    progress(0.0, "reading the checkpoints")
    gpt, _ = load_weights(ckpt)
    sovits, mark = load_weights(pth)
    version = require_convertible(_shapes(gpt), _shapes(sovits), mark)
    _require_keys(package, version, gpt, sovits)
    with tempfile.TemporaryDirectory() as cache:
        for step, (what, run) in enumerate(_stages(package, version, gpt, sovits, out, Path(cache))):
            progress(0.2 + 0.2 * step, f"converting {what}")
            run()
    for problem in wrong_length(version, {path.name: path.stat().st_size for path in out.iterdir()}):
        raise VoicePackError(f"the checkpoints do not have the shape of a {version} voice: {problem}")
    progress(1.0, "converted")
    return version


def load_weights(path: Path) -> tuple[Weights, str | None]:
    """The tensors of a checkpoint by name, and the version its first bytes claim. Nothing in it is executed.

    Raises:
        VoicePackError: If torch is missing, or the file is no plain checkpoint.
    """
    archive, mark = open_checkpoint(path)
    try:
        import torch
    except ImportError as error:
        raise VoicePackError("converting needs torch: pip install 'vivavoce[convert]'") from error
    try:
        with torch.serialization.safe_globals([(HParams, "utils.HParams")]):
            content = torch.load(archive, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever torch makes of a damaged or hostile file; there is no second try
        raise VoicePackError(f"'{path.name}' was refused by torch: it is damaged or holds more than tensors") from error
    weights = content.get("weight") if isinstance(content, dict) else None
    if not isinstance(weights, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in weights.values()):
        raise VoicePackError(f"'{path.name}' holds no weights of GPT-SoVITS")
    return weights, mark


def _stages(
    package: Path, version: Version, gpt: Weights, sovits: Weights, out: Path, cache: Path
) -> list[tuple[str, Callable[[], None]]]:
    """genie-tts' converters, each with the weights handed to it instead of a file it would unpickle."""
    shared, own = package / "Data/v2/Models", package / "Data" / version / "Models"
    given = {"load_gpt_model": lambda path: {"weight": gpt}, "load_sovits_model": lambda path: {"weight": sovits}}
    t2s = _module("v2.T2SConverter", given).T2SModelConverter(
        torch_ckpt_path="",
        stage_decoder_onnx_path=str(shared / "t2s_stage_decoder_fp32.onnx"),
        first_stage_decoder_onnx_path=str(shared / "t2s_first_stage_decoder_fp32.onnx"),
        key_list_file=str(package / T2S_KEYS),
        output_dir=str(out),
        cache_dir=str(cache),
    )
    vits = _module("v2.VITSConverter", given).VITSConverter(
        torch_pth_path="",
        vits_onnx_path=str(own / "vits_fp32.onnx"),
        key_list_file=str(package / VITS_KEYS[version]),
        output_dir=str(out),
        cache_dir=str(cache),
    )
    encoder_graph = str(shared / "t2s_encoder_fp32.onnx")
    encoder = _module("v2.EncoderConverter", given).EncoderConverter(  # its two paths need only exist
        ckpt_path=encoder_graph,
        pth_path=encoder_graph,
        onnx_input_path=encoder_graph,
        output_dir=str(out),
    )
    stages = [
        ("the semantic decoder", t2s.run_full_process),
        ("the vocoder", vits.run_full_process),
        ("the encoder", encoder.run_full_process),
    ]
    if version == "v2ProPlus":
        prompt = _module("v2ProPlus.PromptEncoderConverter", given).PromptEncoderConverter(
            torch_pth_path="",
            prompt_encoder_onnx_path=str(own / "prompt_encoder_fp32.onnx"),
            key_list_file=str(package / PROMPT_KEYS),
            output_dir=str(out),
            cache_dir=str(cache),
        )
        stages.append(("the timbre encoder", prompt.run_full_process))
    return stages


def _module(name: str, loaders: Mapping[str, Callable[[str], Any]]) -> Any:
    module = importlib.import_module(f"genie_tts.Converter.{name}")
    for loader, replacement in loaders.items():
        if hasattr(module, loader):
            setattr(module, loader, replacement)
    return module


def _genie_package() -> Path:
    """Folder of genie-tts; from here on its submodules can be imported without running its `__init__`."""
    spec = importlib.util.find_spec("genie_tts")
    if spec is None or not spec.submodule_search_locations:
        raise VoicePackError("converting needs genie-tts: pip install 'vivavoce[genie]'")
    folder = Path(spec.submodule_search_locations[0])
    stand_in = types.ModuleType("genie_tts")
    stand_in.__path__ = [str(folder)]
    sys.modules["genie_tts"] = stand_in
    return folder


def _require_keys(package: Path, version: Version, gpt: Weights, sovits: Weights) -> None:
    wanted = [(gpt, f"model.{key.replace('transformer_encoder', 'h')}") for key in _keys(package / T2S_KEYS)]
    wanted += [(sovits, key.removeprefix("vq_model.")) for key in _keys(package / VITS_KEYS[version])]
    if version == "v2ProPlus":
        wanted += [(sovits, key.removeprefix("vq_model.")) for key in _keys(package / PROMPT_KEYS)]
    for weights, key in wanted:
        if key not in weights:
            raise VoicePackError(f"the {'.ckpt' if weights is gpt else '.pth'} file lacks the weight '{key}'")


def _keys(path: Path) -> list[str]:
    return path.read_text("utf-8").split()


def _shapes(weights: Weights) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in weights.items()}


def _print_progress(fraction: float, what: str) -> None:
    print(f"progress {fraction:.2f} {what}", flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
