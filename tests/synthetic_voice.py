"""Synthetic GPT-SoVITS voices of the real size, built from a seed into a cache folder.

The graphs are the templates of the genie-tts wheel, linked to their weights as Genie's converter links them; only the
weights are ours. They are *sensitive*: plain random weights give logits that hardly depend on the input, and a wrong
token would pass every equality check. The sentences also end: a counting circuit in the first layer raises the logit
of end-of-speech once there are two semantic tokens for every phoneme.

    synthetic_voice("v2ProPlus")  -> folder with Genie's file names      (336 MB, a few seconds, then cached)

What else a voice needs (HuBERT, speaker encoder, a reference clip) is in `synthetic_genie_data.py`.

The cache is `$VIVAVOCE_TEST_CACHE` or `~/.cache/vivavoce-tests`.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
from numpy.typing import NDArray

Version = Literal["v2", "v2ProPlus"]
Weights = NDArray[np.float32]

RECIPE = "4"  # part of the cache key: raise it whenever a weight or a file changes
LAYERS, WIDTH, HEAD = 24, 512, 32

# Bytes of the files of every GPT-SoVITS voice in Genie's form; the graphs are the same for all voices of a version.
FILE_BYTES: dict[Version, dict[str, int]] = {
    "v2": {
        "t2s_encoder_fp32.onnx": 14_568,
        "t2s_encoder_fp32.bin": 11_465_732,
        "t2s_first_stage_decoder_fp32.onnx": 416_803,
        "t2s_stage_decoder_fp32.onnx": 417_625,
        "t2s_shared_fp16.bin": 153_413_634,
        "vits_fp32.onnx": 1_654_845,
        "vits_fp16.bin": 80_843_520,
    },
    "v2ProPlus": {
        "t2s_encoder_fp32.onnx": 14_568,
        "t2s_encoder_fp32.bin": 11_465_732,
        "t2s_first_stage_decoder_fp32.onnx": 416_803,
        "t2s_stage_decoder_fp32.onnx": 417_625,
        "t2s_shared_fp16.bin": 153_413_634,
        "vits_fp32.onnx": 1_611_210,
        "vits_fp16.bin": 124_345_856,
        "prompt_encoder_fp32.onnx": 44_464,
        "prompt_encoder_fp16.bin": 44_262_912,
    },
}


def synthetic_voice(version: Version = "v2ProPlus", seed: int = 0) -> Path:
    """Folder with the files of one voice. Two seeds give two voices; read only, do not change files in place."""
    return cached(f"voice-{version}-{seed}-r{RECIPE}", lambda folder: _build_voice(folder, version, seed))


def cache_root() -> Path:
    """Where everything large lives between test runs."""
    root = Path(os.environ.get("VIVAVOCE_TEST_CACHE") or Path.home() / ".cache" / "vivavoce-tests")
    root.mkdir(parents=True, exist_ok=True)
    return root


def cached(name: str, build: Callable[[Path], None]) -> Path:
    """The folder `name` in the cache, built once; two processes may race, one of them wins whole."""
    target = cache_root() / name
    if target.is_dir():
        return target
    building = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=cache_root()))
    try:
        build(building)
        building.rename(target)
    except OSError:
        if not target.is_dir():  # else: the other process was first
            raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return target


def genie_package() -> Path:
    """The folder of the genie-tts wheel, found without importing it."""
    spec = importlib.util.find_spec("genie_tts")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the tests need genie-tts: pip install 'vivavoce[genie]'")
    return Path(next(iter(spec.submodule_search_locations)))


def random_of(seed: int, name: str) -> np.random.Generator:
    """A generator of its own for every tensor, so that adding one tensor leaves the others as they were."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


# -- one voice ---------------------------------------------------------------------------------------------------


def _build_voice(folder: Path, version: Version, seed: int) -> None:
    data = genie_package() / "Data"
    t2s_keys = _keys(data / "v2/Keys/t2s_onnx_keys.txt")
    with _LinkedWeights(folder, "t2s_shared", seed, t2s_weight) as weights:
        for graph in ("t2s_first_stage_decoder_fp32.onnx", "t2s_stage_decoder_fp32.onnx"):
            weights.link(data / "v2/Models" / graph, t2s_keys)
    with _LinkedWeights(folder, "vits", seed, vits_weight) as weights:
        keys = "v2/Keys/vits_onnx_keys.txt" if version == "v2" else "v2ProPlus/Keys/vits_weights.txt"
        weights.link(data / version / "Models/vits_fp32.onnx", _keys(data / keys))
    if version == "v2ProPlus":
        with _LinkedWeights(folder, "prompt_encoder", seed, prompt_weight) as weights:
            keys = "v2ProPlus/Keys/prompt_encoder_weights.txt"
            weights.link(data / "v2ProPlus/Models/prompt_encoder_fp32.onnx", _keys(data / keys))
    _build_encoder(folder, data / "v2/Models/t2s_encoder_fp32.onnx", seed)
    for name, size in FILE_BYTES[version].items():
        found = (folder / name).stat().st_size
        assert found == size, f"{name}: {found} bytes, a real voice has {size}"


def _keys(path: Path) -> list[str]:
    return path.read_text().split()


class _LinkedWeights:
    """One `<stem>_fp16.bin` and the graphs that point into the fp32 file it stands for (which never exists)."""

    def __init__(self, folder: Path, stem: str, seed: int, weight: Callable[[str, list[int], int], Weights]) -> None:
        self._folder, self._stem, self._seed, self._weight = folder, stem, seed, weight
        self._places: dict[str, tuple[int, int]] = {}  # name -> (offset, length) in fp32 bytes
        self._offset = 0

    def __enter__(self) -> _LinkedWeights:
        self._bin = (self._folder / f"{self._stem}_fp16.bin").open("wb")
        return self

    def __exit__(self, *error: object) -> None:
        self._bin.close()

    def link(self, template: Path, keys: list[str]) -> None:
        """Write weights in the order of `keys` (the first graph decides) and the graph with its links."""
        model = onnx.load(template, load_external_data=False)
        tensors = {tensor.name: tensor for tensor in model.graph.initializer}
        for key in keys:
            if key not in self._places:
                array = self._weight(key, list(tensors[key].dims), self._seed).astype(np.float16)
                self._bin.write(array.tobytes())
                self._places[key] = (self._offset, array.nbytes * 2)
                self._offset += array.nbytes * 2
        for name, tensor in tensors.items():
            if name in self._places:
                _point(tensor, f"{self._stem}_fp32.bin", *self._places[name])
        onnx.save(model, self._folder / template.name)


def _point(tensor: onnx.TensorProto, location: str, offset: int, length: int) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    del tensor.external_data[:]
    for key, value in (("location", location), ("offset", str(offset)), ("length", str(length))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value


def _build_encoder(folder: Path, template: Path, seed: int) -> None:
    """The text-to-semantic encoder: its weights are real fp32, in the order of the template's offsets."""
    model = onnx.load(template, load_external_data=False)
    with (folder / "t2s_encoder_fp32.bin").open("wb") as out:
        for tensor in sorted(model.graph.initializer, key=_offset_of):
            assert out.tell() == _offset_of(tensor)
            out.write(encoder_weight(tensor.name, list(tensor.dims), seed).tobytes())
    shutil.copyfile(template, folder / template.name)


def _offset_of(tensor: onnx.TensorProto) -> int:
    return int(next(entry.value for entry in tensor.external_data if entry.key == "offset"))


# -- weights: text to semantic -----------------------------------------------------------------------------------
#
# The counter. Channel TEXT is +1 in every phoneme embedding and -1 in every token embedding. Head 0 of layer 0
# attends evenly (its query is 0), so it sees 2 * (share of phonemes) - 1, which crosses -1/3 when there are two
# tokens for every phoneme, reference and its prompt included. It writes that difference into COUNT_A and, negated,
# into COUNT_B, channels nothing else writes to; the end-of-speech row of the predict layer reads A - B. The mean that
# layer normalisation takes away cancels in the difference, and its scale does not move a zero crossing.

TEXT, COUNT_A, COUNT_B = 510, 506, 508  # sine channels of nearly no frequency: the position code is about 0 there
COUNT_GAIN = 30.0
COUNT_NORM = 1.06  # the 48 normalisations shrink an inert channel; this holds it up
END_OF_SPEECH, END_GAIN = 1024, 20.0


def t2s_weight(name: str, dims: list[int], seed: int) -> Weights:
    """Weights of the prefill and step graphs."""
    rng = random_of(seed, name)
    if name.endswith("alpha"):
        return np.full(dims, 0.7, np.float32)
    if name.startswith("ar_audio_embedding"):
        return _with_channels(_normal(rng, dims), {TEXT: -1.0, COUNT_A: 0.0, COUNT_B: 0.0})
    if name.startswith("ar_predict_layer"):
        return _predict(2.5 * _normal(rng, dims, fan_in=WIDTH))
    if name.endswith(("norm1.weight", "norm2.weight")):
        return _with_channels(1 + 0.15 * _normal(rng, dims), {COUNT_A: COUNT_NORM, COUNT_B: COUNT_NORM})
    if name.endswith("bias"):
        return _t2s_bias(name, 0.02 * _normal(rng, dims))
    return _t2s_matrix(name, _normal(rng, dims, fan_in=dims[1]))


def _t2s_matrix(name: str, array: Weights) -> Weights:
    array[:, [COUNT_A, COUNT_B]] = 0.0  # the counter is read by nobody but the predict layer
    if name.endswith("in_proj_weight"):
        array[: 2 * WIDTH] *= 2.2
        if ".layers.0." in name:
            array[:HEAD] = 0.0  # query of head 0: even attention
            array[2 * WIDTH] = 0.0  # its first value: the text channel
            array[2 * WIDTH, TEXT] = 1.0
    elif name.endswith(("out_proj.weight", "linear2.weight")):
        array *= 0.3 if "out_proj" in name else 0.35
        array[[COUNT_A, COUNT_B]] = 0.0
        if name.endswith(".layers.0.self_attn.out_proj.weight"):
            array[COUNT_A, 0], array[COUNT_B, 0] = -COUNT_GAIN, COUNT_GAIN
    return array


def _t2s_bias(name: str, array: Weights) -> Weights:
    if name.endswith("layers.0.self_attn.in_proj_bias"):
        array[:HEAD] = 0.0
        array[2 * WIDTH] = 1 / 3
    elif not name.endswith(("in_proj_bias", "linear1.bias")):
        array[[COUNT_A, COUNT_B]] = 0.0
    return array


def _predict(array: Weights) -> Weights:
    array[:, [COUNT_A, COUNT_B]] = 0.0
    array[END_OF_SPEECH] = 0.0
    array[END_OF_SPEECH, COUNT_A], array[END_OF_SPEECH, COUNT_B] = END_GAIN, -END_GAIN
    return array


def encoder_weight(name: str, dims: list[int], seed: int) -> Weights:
    """Weights of the phoneme and prompt encoder."""
    rng = random_of(seed, name)
    counter = {TEXT: 1.0, COUNT_A: 0.0, COUNT_B: 0.0}
    if name.endswith("alpha"):
        return np.full(dims, 0.7, np.float32)
    if "word_embeddings" in name:
        return _with_channels(_normal(rng, dims), counter)
    if name.endswith("codebook.embed"):
        return _normal(rng, dims)
    if name.endswith("bias"):
        bias = 0.02 * _normal(rng, dims)
        return _with_channels(bias, dict.fromkeys(counter, 0.0)) if "bert_proj" in name else bias
    array = _normal(rng, dims, fan_in=int(np.prod(dims[1:])))
    if "bert_proj" in name:
        array[list(counter)] = 0.0
    return array * (4.0 if "ssl_proj" in name else 1.0)


def _with_channels(array: Weights, values: dict[int, float]) -> Weights:
    for channel, value in values.items():
        array[..., channel] = value
    return array


def _normal(rng: np.random.Generator, dims: list[int], *, fan_in: int = 1) -> Weights:
    return rng.standard_normal(dims, dtype=np.float32) / np.float32(np.sqrt(fan_in))


# -- weights: front, flow, decoder -------------------------------------------------------------------------------

# name pattern -> gain over 1/sqrt(fan in). The first match counts. Chosen so that the latent has a standard deviation
# near one and the sound one near 0.1, and both depend on tokens, phonemes, noise and reference.
VITS_GAINS: tuple[tuple[str, float], ...] = (
    (r"mrte\.cross_attention\.conv_[qk]\.weight", 2.0),
    (r"attn_layers\.\d+\.conv_[qk]\.weight", 2.0),
    (r"flows\.\d+\.post\.weight", 0.4),
    (r"cond_layer\.weight_g", 0.4),
    (r"dec\.cond\.weight", 0.4),
    (r"dec\.conv_post\.weight", 0.25),
    (r"dec\.ups\.\d+\.weight_g", 1.3),
    (r"dec\.resblocks\.\d+\.convs2\.\d+\.weight_g", 0.7),
)


def vits_weight(name: str, dims: list[int], seed: int) -> Weights:
    """Weights of text encoder, flow and decoder, weight-normed layers included (v of any length, g the true one)."""
    rng = random_of(seed, name)
    gain = next((gain for pattern, gain in VITS_GAINS if re.search(pattern, name)), 1.0)
    if name.endswith("gamma"):
        return 1 + 0.15 * _normal(rng, dims)
    if name.endswith("proj.bias") and dims == [384]:
        return np.concatenate([0.02 * _normal(rng, [192]), np.full(192, -1.0, np.float32)])
    if name.endswith(("bias", "beta")):
        return 0.02 * _normal(rng, dims)
    if name.endswith(("text_embedding.weight", "codebook.embed", "weight_v")):
        return _normal(rng, dims)
    if name.endswith("weight_g"):
        return gain * _row_length(name) * (1 + 0.1 * _normal(rng, dims))
    if "emb_rel" in name:
        return _normal(rng, dims, fan_in=dims[-1])
    return gain * _normal(rng, dims, fan_in=int(np.prod(dims[1:])))


def _row_length(name: str) -> float:
    """Length of a weight-norm row that keeps the variance: 1 for a convolution, more for an upsampling.

    A transposed convolution is normed along its input channels: of k * out weights each with variance s / (in * k),
    where out = in / 2, the length is sqrt(s / 2).
    """
    strides = {0: 10, 1: 8, 2: 2, 3: 2, 4: 2}
    upsampling = re.search(r"dec\.ups\.(\d)\.", name)
    return float(np.sqrt(strides[int(upsampling[1])] / 2)) if upsampling else 1.0


def prompt_weight(name: str, dims: list[int], seed: int) -> Weights:
    """Weights of the timbre encoder of v2ProPlus."""
    rng = random_of(seed, name)
    if name.startswith("prelu"):
        return np.full(dims, 0.25, np.float32)
    if name.endswith("bias"):
        return 0.02 * _normal(rng, dims)
    return _normal(rng, dims, fan_in=int(np.prod(dims[1:])))


@contextmanager
def replaced_file(folder: Path, name: str) -> Iterator[Path]:
    """A copy of a voice (hard links) whose file `name` may be changed; for tests of damage and of negative controls."""
    with tempfile.TemporaryDirectory(dir=cache_root()) as temporary:
        copy = Path(temporary) / folder.name
        shutil.copytree(folder, copy, copy_function=lambda source, target: os.link(source, target))
        (copy / name).unlink()
        shutil.copyfile(folder / name, copy / name)
        yield copy / name
