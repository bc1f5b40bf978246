"""Stand-ins for what a Genie voice needs beside its own files: HuBERT, the speaker encoder, and a reference clip.

The stand-in networks are small and random, with the inputs and outputs of the real ones (50 features a second from
16 kHz sound; one speaker vector a clip), in files that genie-tts itself loads too.
"""

from __future__ import annotations

import json
import os
import shutil
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from synthetic_voice import RECIPE, cached, random_of, synthetic_voice

SAMPLE_RATE_HZ = 32_000


@dataclass(frozen=True, slots=True)
class ReferenceClip:
    """A clip to speak after: sound, what is said in it, ISO 639-1 language."""

    path: Path
    text: str
    language: str


def genie_data() -> Path:
    """A GenieData folder: stand-in networks, and the text resources that packages ship."""
    return cached(f"genie-data-r{RECIPE}", build_genie_data)


def reference_clip(seed: int = 0) -> ReferenceClip:
    """Four seconds of a voiced-like sound."""
    folder = cached(f"reference-{seed}-r{RECIPE}", lambda folder: write_clip(folder / "audio.wav", seed))
    return ReferenceClip(folder / "audio.wav", "きょうはとてもよいてんきなので、さんぽにいきましょう。", "ja")


def voice_library() -> Path:
    """A folder with two voices that differ in everything: "alpha" is V2ProPlus, "beta" V2 with another clip.

    The files are links to those of `synthetic_voice`: read only.
    """
    return cached(f"library-r{RECIPE}", _build_library)


def _build_library(folder: Path) -> None:
    for name, version, clip in (("alpha", "v2ProPlus", reference_clip(0)), ("beta", "v2", reference_clip(1))):
        models = synthetic_voice("v2" if version == "v2" else "v2ProPlus")
        shutil.copytree(models, folder / name / "tts_models", copy_function=os.link)
        (folder / name / "reference").mkdir()
        shutil.copyfile(clip.path, folder / name / "reference" / "audio.wav")
        described = json.dumps({"text": clip.text, "language": clip.language}, ensure_ascii=False)
        (folder / name / "reference" / "config.json").write_text(described, encoding="utf-8")


def build_genie_data(folder: Path) -> None:
    """Fill `folder`; text resources may be added here as front ends come to need them."""
    hubert = folder / "chinese-hubert-base"
    hubert.mkdir()
    _build_hubert(hubert)
    _build_speaker_encoder(folder / "speaker_encoder.onnx")
    for name in ("G2P/ChineseG2P", "G2P/EnglishG2P"):
        (folder / name).mkdir(parents=True)


def write_clip(path: Path, seed: int = 0, seconds: float = 4.0) -> None:
    """A gliding buzz under moving formants with soft gaps, 16 bits, 32 kHz, mono."""
    rng = random_of(seed, "clip")
    time = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    pitch = 170 + 40 * np.sin(2 * np.pi * (0.4 + 0.2 * rng.random()) * time) + 8 * np.sin(2 * np.pi * 5.5 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ
    formants = [
        center * (1 + 0.3 * np.sin(2 * np.pi * rate * time + rng.random() * 6))
        for center, rate in ((550, 1.7), (1600, 2.3), (2700, 1.1))
    ]
    sound = sum(
        np.sin(harmonic * phase) * sum(np.exp(-(((harmonic * pitch - formant) / 260) ** 2)) for formant in formants)
        for harmonic in range(1, 20)
    )
    syllables = np.clip(0.6 + np.sin(2 * np.pi * 2.6 * time + 1.0), 0, 1)
    noise = 0.01 * rng.standard_normal(len(time))
    samples = np.asarray(0.25 * sound * syllables + noise, np.float64)
    pcm = np.clip(samples / max(1e-9, np.abs(samples).max()) * 0.6 * 32767, -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE_HZ)
        out.writeframes(pcm.tobytes())


def _build_hubert(folder: Path) -> None:
    """One strided convolution over 25 ms windows, then a wider look; weights fp16 beside it, linked as Genie links."""
    shapes = {"window.weight": [768, 1, 400], "context.weight": [768, 96, 3]}
    gains = {"window.weight": 4.0, "context.weight": 1.5}  # the sound is soft: without a gain all frames look alike
    initializers, offset = [], 0
    with (folder / "chinese-hubert-base_weights_fp16.bin").open("wb") as out:
        for name, dims in shapes.items():
            fan_in = dims[1] * dims[2]
            array = gains[name] * random_of(0, name).standard_normal(dims) / np.sqrt(fan_in)
            half = array.astype(np.float16)
            out.write(half.tobytes())
            initializers.append(_external(name, dims, offset, half.nbytes * 2))
            offset += half.nbytes * 2
    nodes = [
        helper.make_node("Unsqueeze", ["input_values", "one"], ["samples"]),
        helper.make_node("Conv", ["samples", "window.weight"], ["windows"], strides=[320]),
        helper.make_node("Tanh", ["windows"], ["bounded"]),
        helper.make_node("Conv", ["bounded", "context.weight"], ["ssl_content"], pads=[1, 1], group=8),
    ]
    graph = helper.make_graph(
        nodes,
        "hubert_stand_in",
        [helper.make_tensor_value_info("input_values", TensorProto.FLOAT, [1, "samples"])],
        [helper.make_tensor_value_info("ssl_content", TensorProto.FLOAT, [1, 768, "frames"])],
        [*initializers, numpy_helper.from_array(np.array([1], np.int64), "one")],
    )
    onnx.save(_model(graph), folder / "chinese-hubert-base.onnx")


def _build_speaker_encoder(path: Path) -> None:
    """Mean magnitude of 64 random filters, spread over 20480 numbers."""
    filters = _array("filters", [64, 1, 400], 4.0 / np.sqrt(400))
    spread = _array("spread", [64, 20480], 1 / np.sqrt(64))
    nodes = [
        helper.make_node("Unsqueeze", ["waveform", "one"], ["samples"]),
        helper.make_node("Conv", ["samples", "filters"], ["filtered"], strides=[160]),
        helper.make_node("Abs", ["filtered"], ["magnitude"]),
        helper.make_node("ReduceMean", ["magnitude", "two"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "spread"], ["mixed"]),
        helper.make_node("Tanh", ["mixed"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "speaker_encoder_stand_in",
        [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, [1, "samples"])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, 20480])],
        [
            numpy_helper.from_array(filters, "filters"),
            numpy_helper.from_array(spread, "spread"),
            numpy_helper.from_array(np.array([1], np.int64), "one"),
            numpy_helper.from_array(np.array([2], np.int64), "two"),
        ],
    )
    onnx.save(_model(graph), path)


def _model(graph: onnx.GraphProto) -> onnx.ModelProto:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def _array(name: str, dims: list[int], scale: float) -> NDArray[np.float32]:
    return np.float32(scale) * random_of(0, name).standard_normal(dims, dtype=np.float32)


def _external(name: str, dims: list[int], offset: int, length: int) -> onnx.TensorProto:
    tensor = TensorProto(name=name, dims=dims, data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    places = {"location": "chinese-hubert-base_weights_fp32.bin", "offset": str(offset), "length": str(length)}
    for key, value in places.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return tensor
