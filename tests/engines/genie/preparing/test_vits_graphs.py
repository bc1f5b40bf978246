"""The cut pieces joined again are Genie's graph, bit for bit."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from synthetic_voice import Version, synthetic_voice
from vits_original import Sentence, compiled_vits, graph_vocoder
from vivavoce.engines.genie.preparing.graph_cut import Port, cut, folded_weights, without_ones
from vivavoce.engines.genie.preparing.weights import PackWeights, with_weights
from vivavoce.engines.genie.sound.vits_model import VitsModel
from vivavoce.errors import VoiceUnavailable

VERSIONS: tuple[Version, ...] = ("v2", "v2ProPlus")
Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


@cache
def model(version: Version) -> VitsModel:
    return VitsModel.open(compiled_vits(version), threads=2)


def noise(frames: int, seed: int = 1) -> Array:
    return np.random.default_rng(seed).standard_normal((1, 192, frames)).astype(np.float32)


def speak(sentence: Sentence, drawn: Array, tokens: list[int] | None = None) -> tuple[Array, Array]:
    """Samples and latent from our pieces."""
    voice = model(sentence.version)
    row = np.asarray(tokens or sentence.tokens, np.int64).reshape(1, 1, -1)
    speaker = voice.speaker(sentence.ge)
    front = voice.plan(row, voice.read(sentence.phonemes), sentence.ge_advanced)
    z, _ = voice.latent(front.m_p, front.logs_p, drawn, speaker, noise_scale=0.5)
    vocoder = graph_vocoder(sentence.version)
    samples, _ = vocoder.decode(z, vocoder.start(speaker.decoder), flush=True)
    return samples, z


@pytest.mark.parametrize("version", VERSIONS)
def test_pieces_equal_the_original_bit_for_bit(version: Version) -> None:
    sentence = Sentence(version)
    drawn = noise(24)
    wanted, latent = sentence.speak(drawn)

    samples, z = speak(sentence, drawn)

    assert np.array_equal(z, latent)
    assert np.max(np.abs(samples - wanted)) < 1e-5
    assert wanted.std() > 0.01, "a silent voice would equal anything"


@pytest.mark.parametrize("version", VERSIONS)
def test_equality_notices_a_wrong_input(version: Version) -> None:
    sentence = Sentence(version)
    drawn = noise(24)
    _, latent = sentence.speak(drawn)

    wrong_token = [*sentence.tokens[:-1], (sentence.tokens[-1] + 1) % 1024]
    assert np.max(np.abs(speak(sentence, drawn, wrong_token)[1] - latent)) > 1e-2
    shifted = np.roll(drawn, 1, axis=2)
    assert np.max(np.abs(speak(sentence, shifted)[1] - latent)) > 1e-2
    other = Sentence(version)
    other.ge = other.ge * np.float32(1.01)
    assert np.max(np.abs(speak(other, drawn)[1] - latent)) > 1e-3
    other = Sentence(version)
    other.phonemes = other.phonemes[:, ::-1].copy()
    assert np.max(np.abs(speak(other, drawn)[1] - latent)) > 1e-3


def test_timbre_of_v2_is_cut_from_the_same_graph() -> None:
    sentence = Sentence("v2")
    session = ort.InferenceSession(str(compiled_vits("v2") / "timbre.onnx"), providers=["CPUExecutionProvider"])
    assert np.array_equal(session.run(["ge"], {"ref_audio": sentence.sound})[0], sentence.ge)


def test_weight_norm_is_folded_as_its_formula_says() -> None:
    voice = synthetic_voice("v2")
    weights = PackWeights(voice / "vits_fp32.onnx", voice / "vits_fp16.bin")
    direction, length = (weights[f"vq_model.dec.resblocks.0.convs1.0.weight_{kind}"] for kind in "vg")
    wanted = direction / np.sqrt((direction.astype(np.float64) ** 2).sum(axis=(1, 2), keepdims=True)) * length

    folded = folded_weights(with_weights(weights), "vq_model.dec.resblocks.0.")

    assert set(folded) == {
        f"vq_model.dec.resblocks.0.convs{half}.{pair}.weight" for half in (1, 2) for pair in range(3)
    }
    assert np.allclose(folded["vq_model.dec.resblocks.0.convs1.0.weight"], wanted, atol=1e-6)


def test_a_cut_that_misses_an_input_says_which() -> None:
    nodes = [helper.make_node("Add", ["x", "y"], ["sum"]), helper.make_node("Neg", ["sum"], ["out"])]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y", "out")]
    whole = helper.make_model(helper.make_graph(nodes, "g", values[:2], values[2:]))
    with pytest.raises(ValueError, match="misses inputs: y"):
        cut(whole, {"a": Port("x", (1,))}, {"b": Port("out", (1,))})
    assert [node.op_type for node in cut(whole, {"s": Port("sum", (1,))}, {"b": Port("out", (1,))}).graph.node] == [
        "Neg"
    ]


def test_masks_of_ones_go_and_others_stay() -> None:
    def mask(value: float) -> list[int]:
        nodes = [
            helper.make_node("Shape", ["x"], ["shape"]),
            helper.make_node(
                "ConstantOfShape", ["shape"], ["mask"], value=numpy_helper.from_array(np.array([value], np.float32))
            ),
            helper.make_node("Mul", ["x", "mask"], ["masked"]),
            helper.make_node("Neg", ["masked"], ["out"]),
        ]
        values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in ("x", "out")]
        return [len(without_ones(helper.make_model(helper.make_graph(nodes, "g", values[:1], values[1:]))).graph.node)]

    assert mask(1.0) == [1]
    assert mask(0.5) == [4]


def test_a_damaged_graph_makes_the_voice_unavailable(tmp_path: Path) -> None:
    for path in compiled_vits("v2").iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "flow.onnx").unlink()
    (tmp_path / "flow.onnx").write_bytes((compiled_vits("v2") / "flow.onnx").read_bytes()[:1000])
    with pytest.raises(VoiceUnavailable, match=r"flow\.onnx"):
        VitsModel.open(tmp_path)
