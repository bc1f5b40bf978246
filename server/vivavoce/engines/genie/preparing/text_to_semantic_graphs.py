"""Our own graphs of the text-to-semantic transformer, built from a voice's weights.

Two graphs, both without a sampler: the tail of Genie's graphs draws with the wrong noise, so logits come out instead.

    prefill   phonemes, BERT, prompt tokens -> logits, keys, values       once a sentence, batch 1
    step      one token a row -> logits                                    batch of any size, keys and values in place

The model (Source: GPT-SoVITS, `AR/models/t2s_model.py`): 24 post-norm layers of width 512, 16 heads of 32, a
feed-forward of 2048 with ReLU, sinusoidal positions scaled by a learned alpha, counted apart for phonemes and tokens.
Phonemes see all phonemes; a token sees all phonemes and the tokens up to itself.

`compile.py` calls this once a voice; `model.py` runs what comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from vivavoce.engines.genie.semantic.inputs import cache_names, position_table
from vivavoce.engines.genie.shape import BERT_WIDTH, HEAD, HEADS, LAYERS, VOCABULARY, WIDTH

Array = NDArray[np.float32]
Weights = Mapping[str, Array]
Shape = list[str | int]

_MICROSOFT = "com.microsoft"
_EPSILON = 1e-5
_INT8_BLOCK = 128  # 2.7 times fp32 where blocks of 32 give 2.3; the logits differ as much


def prefill_graph(decoder: Weights, encoder: Weights) -> onnx.ModelProto:
    """Reads the whole prompt.

    Inputs: phonemes int64 [1, X]; bert float32 [X, 1024]; prompts int64 [1, P], P may be 0; phoneme_positions
    int64 [X]; prompt_positions int64 [P]; mask float32 [1, 1, X + P, X + P], added to the scores.
    Outputs: logits float32 [1, 1025] of the first token; key_i, value_i float32 [1, 16, X + P, 32] of the 24 layers.

    Args:
        decoder: weights of `t2s_first_stage_decoder`.
        encoder: weights of `t2s_encoder`.
    """
    build = _Builder(decoder)
    text = build.node("Gather", [build.array("phoneme_table", encoder[_TEXT_TABLE]), "phonemes"])
    projected = build.node("MatMul", ["bert", build.array("bert.weight", encoder["encoder.bert_proj.weight"].T)])
    text = build.node("Add", [text, projected])
    text = build.node("Add", [text, build.array("bert.bias", encoder["encoder.bert_proj.bias"])])
    text = build.with_position(text, "phoneme_positions", "phoneme", encoder["encoder.ar_text_position.alpha"])
    tokens = build.node("Gather", [build.array("token_table", decoder[_TOKEN_TABLE]), "prompts"])
    tokens = build.with_position(tokens, "prompt_positions", "token", decoder["ar_audio_position.alpha"])
    hidden = build.node("Concat", [text, tokens], axis=1)
    for layer in range(LAYERS):
        hidden = build.layer(layer, hidden, build.prefill_attention)
    last = build.node("Gather", [hidden, build.array("last", np.array(-1, np.int64))], axis=1)
    build.project(last, "predict", decoder["ar_predict_layer.weight"], None, output="logits")
    inputs = [
        _value("phonemes", TensorProto.INT64, [1, "phonemes"]),
        _value("bert", TensorProto.FLOAT, ["phonemes", BERT_WIDTH]),
        _value("prompts", TensorProto.INT64, [1, "prompts"]),
        _value("phoneme_positions", TensorProto.INT64, ["phonemes"]),
        _value("prompt_positions", TensorProto.INT64, ["prompts"]),
        _value("mask", TensorProto.FLOAT, [1, 1, "total", "total"]),
    ]
    caches = [_value(name, TensorProto.FLOAT, [1, HEADS, "total", HEAD]) for name in cache_names("")]
    return build.model("prefill", inputs, [_value("logits", TensorProto.FLOAT, [1, VOCABULARY]), *caches])


def step_graph(decoder: Weights, *, int8: bool = False) -> onnx.ModelProto:
    """Speaks one token further in every row.

    Inputs: tokens int64 [B, 1]; positions int64 [B, 1] of those tokens; lengths int32 [B], places of the cache filled
    before this step; total int32 scalar, the largest length + 1; past_key_i, past_value_i float32 [B, 16, S, 32].
    Outputs: logits float32 [B, 1025]; present_key_i, present_value_i, to be bound to the memory of the past ones, so
    that nothing is copied: a step writes one place a row and layer.

    Args:
        decoder: weights of `t2s_stage_decoder`.
        int8: store the matrices in 8 bits, a scale for every 128 inputs, and multiply in integers.
    """
    build = _Builder(decoder, int8=int8)
    tokens = build.node("Gather", [build.array("token_table", decoder[_TOKEN_TABLE]), "tokens"])
    hidden = build.with_position(tokens, "positions", "token", decoder["ar_audio_position.alpha"])
    for layer in range(LAYERS):
        hidden = build.layer(layer, hidden, build.step_attention)
    flat = build.node("Squeeze", [hidden, build.array("one", np.array([1], np.int64))])
    build.project(flat, "predict", decoder["ar_predict_layer.weight"], None, output="logits")
    shape: Shape = ["batch", HEADS, "places", HEAD]
    inputs = [
        _value("tokens", TensorProto.INT64, ["batch", 1]),
        _value("positions", TensorProto.INT64, ["batch", 1]),
        _value("lengths", TensorProto.INT32, ["batch"]),
        _value("total", TensorProto.INT32, []),
        *(_value(name, TensorProto.FLOAT, shape) for name in cache_names("past_")),
    ]
    presents = [_value(name, TensorProto.FLOAT, shape) for name in cache_names("present_")]
    return build.model("step", inputs, [_value("logits", TensorProto.FLOAT, ["batch", VOCABULARY]), *presents])


_TEXT_TABLE = "encoder.ar_text_embedding.word_embeddings.weight"
_TOKEN_TABLE = "ar_audio_embedding.word_embeddings.weight"


class _Builder:
    """Nodes and constants of one graph under construction."""

    def __init__(self, weights: Weights, *, int8: bool = False) -> None:
        self._weights, self._int8 = weights, int8
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._count = 0

    def array(self, name: str, array: NDArray[Any]) -> str:
        """A constant."""
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.require(array, requirements="C"), name)
        return name

    def node(
        self, op: str, inputs: list[str], *, domain: str = "", output: str | None = None, **attributes: Any
    ) -> str:
        """A node with one output, whose name is returned."""
        output = output or self._fresh()
        self._nodes.append(helper.make_node(op, inputs, [output], domain=domain, **attributes))
        return output

    def with_position(self, hidden: str, positions: str, kind: str, alpha: Array) -> str:
        """Add alpha times the sinusoids of the places named by the input `positions`."""
        table = self.array(f"{kind}_positions_table", alpha * position_table())
        return self.node("Add", [hidden, self.node("Gather", [table, positions])])

    def project(self, hidden: str, name: str, weight: Array, bias: Array | None, *, output: str | None = None) -> str:
        """hidden @ weight.T + bias, in 8 bits where the graph is an int8 one."""
        if self._int8:
            return self._project_int8(hidden, name, weight, bias, output)
        if bias is None:
            return self.node("MatMul", [hidden, self.array(f"{name}.weight", weight.T)], output=output)
        product = self.node("MatMul", [hidden, self.array(f"{name}.weight", weight.T)])
        return self.node("Add", [product, self.array(f"{name}.bias", bias)], output=output)

    def _project_int8(self, hidden: str, name: str, weight: Array, bias: Array | None, output: str | None) -> str:
        quantized, scales = quantize(weight)
        inputs = [hidden, self.array(f"{name}.int8", quantized), self.array(f"{name}.scales", scales)]
        if bias is not None:
            inputs += ["", "", self.array(f"{name}.bias", bias)]
        rows, columns = weight.shape
        return self.node(
            "MatMulNBits", inputs, domain=_MICROSOFT, output=output,
            K=columns, N=rows, bits=8, block_size=_INT8_BLOCK, accuracy_level=4,
        )  # fmt: skip

    def layer(self, layer: int, hidden: str, attention: Any) -> str:
        """One post-norm layer around the given attention."""
        prefix = f"transformer_encoder.layers.{layer}."
        weights = {name: self._weights[prefix + name] for name in _LAYER_NAMES}
        attended = attention(layer, hidden, weights["self_attn.in_proj_weight"], weights["self_attn.in_proj_bias"])
        out = self.project(attended, f"{layer}.out", weights["self_attn.out_proj.weight"], None)
        hidden = self._residual(f"{layer}.norm1", out, hidden, weights, "norm1", "self_attn.out_proj.bias")
        inner = self.project(hidden, f"{layer}.up", weights["linear1.weight"], weights["linear1.bias"])
        down = self.project(self.node("Relu", [inner]), f"{layer}.down", weights["linear2.weight"], None)
        return self._residual(f"{layer}.norm2", down, hidden, weights, "norm2", "linear2.bias")

    def _residual(self, name: str, new: str, old: str, weights: Weights, norm: str, bias: str) -> str:
        """Layer normalisation of new + bias + old, in one node."""
        inputs = [
            new,
            old,
            self.array(f"{name}.weight", weights[f"{norm}.weight"]),
            self.array(f"{name}.shift", weights[f"{norm}.bias"]),
            self.array(f"{name}.bias", weights[bias]),
        ]
        return self.node("SkipLayerNormalization", inputs, domain=_MICROSOFT, epsilon=_EPSILON)

    def step_attention(self, layer: int, hidden: str, weight: Array, bias: Array) -> str:
        """New key and value go to their place in the shared cache; the query sees all places filled so far."""
        packed = self._query_key_value(layer, hidden, weight, bias)
        caches = [f"past_key_{layer}", f"past_value_{layer}"]
        output = [self._fresh(), f"present_key_{layer}", f"present_value_{layer}"]
        inputs = [packed, "", "", *caches, "lengths", "total"]
        self._nodes.append(
            helper.make_node(
                "GroupQueryAttention",
                inputs,
                output,
                domain=_MICROSOFT,
                num_heads=HEADS,
                kv_num_heads=HEADS,
                do_rotary=0,
                scale=1.0,
            )
        )
        return output[0]

    def prefill_attention(self, layer: int, hidden: str, weight: Array, bias: Array) -> str:
        """Attention under the mask given as an input."""
        packed = self._query_key_value(layer, hidden, weight, bias)
        parts = [self._fresh() for _ in range(3)]
        self._nodes.append(helper.make_node("Split", [packed], parts, axis=-1, num_outputs=3))
        output = [self._fresh(), f"key_{layer}", f"value_{layer}"]
        self._nodes.append(
            helper.make_node(
                "MultiHeadAttention", [*parts, "", "", "mask"], output, domain=_MICROSOFT, num_heads=HEADS, scale=1.0
            )
        )
        return output[0]

    def _query_key_value(self, layer: int, hidden: str, weight: Array, bias: Array) -> str:
        """One product for all three, the query's part scaled already. Both graphs share its weights on disk."""
        scale = np.concatenate([np.full(WIDTH, HEAD**-0.5, np.float32), np.ones(2 * WIDTH, np.float32)])
        return self.project(hidden, f"{layer}.qkv", weight * scale[:, None], bias * scale)

    def model(
        self, name: str, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto]
    ) -> onnx.ModelProto:
        """The finished model."""
        graph = helper.make_graph(self._nodes, name, inputs, outputs, list(self._constants.values()))
        opsets = [helper.make_opsetid("", 20), helper.make_opsetid(_MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9)

    def _fresh(self) -> str:
        self._count += 1
        return f"t{self._count}"


def quantize(weight: Array) -> tuple[NDArray[np.uint8], Array]:
    """8 bits a weight, symmetric around 128, one scale for every 128 inputs of an output.

    Returns:
        uint8 [rows, blocks, 128] and float32 [rows * blocks].
    """
    rows, columns = weight.shape
    blocks = weight.reshape(rows, columns // _INT8_BLOCK, _INT8_BLOCK)
    scales = np.abs(blocks).max(axis=-1) / np.float32(127)
    scales[scales == 0] = 1
    quantized = np.rint(blocks / scales[..., None]) + 128
    return quantized.astype(np.uint8), scales.reshape(-1)


_LAYER_NAMES = (
    "self_attn.in_proj_weight", "self_attn.in_proj_bias", "self_attn.out_proj.weight", "self_attn.out_proj.bias",
    "linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias",
    "norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias",
)  # fmt: skip


def _value(name: str, kind: int, shape: Shape) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)
