"""The VITS half of a voice, cut from Genie's graph into the pieces that streaming needs.

    timbre      reference sound (and speaker vector) -> ge, ge_advanced       once a reference
    prompt      HuBERT features of the reference -> prompt tokens             once a reference
    condition   ge -> what flow and decoder add for the speaker               once a sentence
    text        phonemes -> keys and values of the cross attention            once a sentence
    front       all semantic tokens so far -> m_p, logs_p, attention          once a commit
    flow        m_p, logs_p, noise, earlier z_p -> z_p, z                     once a commit, a few frames
    decoder     z -> samples, with state (`decoder_graph.py`)                 once a chunk

Cut and joined again with the same noise they are the original, bit for bit. The original draws its noise itself, anew
at every call; here it is an input, so that a frame keeps the noise it was given. `compile.py` calls
`build_vits_graphs`; `vits_model.py` opens what it wrote.

Source: GPT-SoVITS, `module/models.py` (SynthesizerTrn, TextEncoder, MRTE); VITS (Kim et al., 2021).
"""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper, numpy_helper

from vivavoce.engines.genie.preparing.decoder_graph import DecoderWeights, decoder_graph
from vivavoce.engines.genie.preparing.graph_cut import Port, cut, folded_weights, save_optimized, without_ones
from vivavoce.engines.genie.preparing.weights import PackWeights, with_weights
from vivavoce.engines.genie.shape import COUPLINGS, FLOW_CONDITIONS, LATENT_WIDTH
from vivavoce.voices.fingerprints import Version

GRAPHS = ("timbre", "condition", "text", "front", "flow", "decoder")  # each `.onnx`, most with a `.data`

_ENC, _FLOW, _DEC = "/vq_model/enc_p", "/vq_model/flow", "/vq_model/dec"
_MRTE = f"{_ENC}/mrte/cross_attention"
_GE = {"v2": "/vq_model/ref_enc/Unsqueeze_6_output_0", "v2ProPlus": "ge"}
_GE_ADVANCED = {"v2": "/vq_model/ref_enc/Unsqueeze_6_output_0", "v2ProPlus": "ge_advanced"}
_GE_WIDTH = {"v2": 512, "v2ProPlus": 1024}


def build_vits_graphs(vits: PackWeights, prompt_encoder: PackWeights | None, version: Version, folder: Path) -> None:
    """Write the graphs of `GRAPHS` and their weights into `folder`. The graphs given are filled with their weights.

    Args:
        vits: graph and weights `vits_fp32`.
        prompt_encoder: `prompt_encoder_fp32`; None for v2, which has none.
        version: of the voice.
        folder: exists; files of the same names are replaced.
    """
    whole = with_weights(vits)
    pieces = vits_pieces(whole, version)
    if version == "v2ProPlus":
        if prompt_encoder is None:
            raise ValueError("a v2ProPlus voice has a prompt encoder")
        pieces["timbre"] = with_weights(prompt_encoder)
    # As it is: ONNX Runtime cannot read again what it saves of a graph with branches, and it runs once a reference.
    onnx.save(pieces.pop("timbre"), folder / "timbre.onnx")
    pieces["decoder"] = decoder_graph(decoder_weights(whole))
    for name, piece in pieces.items():
        save_optimized(piece, folder / f"{name}.onnx")


def build_prompt_graph(encoder: PackWeights, folder: Path) -> None:
    """Write `prompt.onnx`: HuBERT features of a reference clip -> its semantic tokens.

    Args:
        encoder: graph and weights `t2s_encoder_fp32`; the graph is filled with the weights.
        folder: exists.
    """
    features = Port("ssl_content", (1, 768, "features"))
    prompts = Port("prompts", (1, "prompts"), TensorProto.INT64)
    save_optimized(cut(with_weights(encoder), {"ssl_content": features}, {"prompts": prompts}), folder / "prompt.onnx")


def vits_pieces(whole: onnx.ModelProto, version: Version) -> dict[str, onnx.ModelProto]:
    """The pieces before the decoder by name: condition, text, front, flow and, for v2, timbre."""
    frames = Port(f"{_ENC}/Split_output_0", (1, LATENT_WIDTH, "frames"))
    keys = Port(f"{_MRTE}/conv_k/Conv_output_0", (1, 512, "phonemes"))
    values = Port(f"{_MRTE}/conv_v/Conv_output_0", (1, 512, "phonemes"))
    ge = Port(_GE[version], (1, _GE_WIDTH[version], 1))
    conditions = {
        name: Port(f"{_FLOW}/flows.{index}/enc/cond_layer/Conv_output_0", (1, 1536, 1))
        for name, index in zip(FLOW_CONDITIONS, COUPLINGS, strict=True)
    }
    clean = without_ones(whole)
    pieces = {
        "text": cut(
            clean,
            {"phonemes": Port("text_seq", (1, "phonemes"), TensorProto.INT64)},
            {"text_keys": keys, "text_values": values},
        ),
        "front": cut(
            clean,
            {
                "tokens": Port("pred_semantic", (1, 1, "tokens"), TensorProto.INT64),
                "text_keys": keys,
                "text_values": values,
                "ge_advanced": Port(_GE_ADVANCED[version], (1, 512, 1)),
            },
            {
                "m_p": frames,
                "logs_p": Port(f"{_ENC}/Split_output_1", frames.shape),
                "attention": Port(f"{_MRTE}/Softmax_output_0", (1, 4, "frames", "phonemes")),
            },
        ),
        "flow": _with_noise(
            cut(
                clean,
                {"z_p": Port("/vq_model/Add_1_output_0", frames.shape), **conditions},
                {"z": Port(f"{_FLOW}/flows.0/Concat_output_0", frames.shape)},
            )
        ),
        "condition": cut(
            clean,
            {"ge": ge},
            {**conditions, "decoder": Port(f"{_DEC}/cond/Conv_output_0", (1, "channels", 1))},
        ),
    }
    if version == "v2":
        sound = Port("ref_audio", (1, "samples"))
        pieces["timbre"] = cut(whole, {"ref_audio": sound}, {"ge": ge})
    return pieces


def _with_noise(flow: onnx.ModelProto) -> onnx.ModelProto:
    """The flow behind its noise: z_p = earlier z_p, then m_p + noise * exp(logs_p) * noise_scale.

    In the graph and in the original's order, because another `exp` would not give the same last bit.
    """
    nodes = [
        helper.make_node("Exp", ["logs_p"], ["deviation"]),
        helper.make_node("Mul", ["noise", "deviation"], ["unscaled"]),
        helper.make_node("Mul", ["unscaled", "noise_scale"], ["scaled"]),
        helper.make_node("Add", ["m_p", "scaled"], ["new_z_p"]),
        helper.make_node("Concat", ["past_z_p", "new_z_p"], ["z_p"], axis=2),
    ]
    new = (1, LATENT_WIDTH, "new")
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, new) for name in ("m_p", "logs_p", "noise")]
    inputs.append(helper.make_tensor_value_info("noise_scale", TensorProto.FLOAT, ()))
    inputs.append(helper.make_tensor_value_info("past_z_p", TensorProto.FLOAT, (1, LATENT_WIDTH, "past")))
    inputs += [port for port in flow.graph.input if port.name != "z_p"]
    outputs = [*flow.graph.output, helper.make_tensor_value_info("new_z_p", TensorProto.FLOAT, new)]
    graph = helper.make_graph([*nodes, *flow.graph.node], "flow", inputs, outputs, flow.graph.initializer)
    return helper.make_model(graph, opset_imports=list(flow.opset_import), ir_version=flow.ir_version)


def decoder_weights(whole: onnx.ModelProto) -> DecoderWeights:
    """What the streaming decoder is built from, weight norm folded."""
    prefix = "vq_model.dec."
    arrays = {
        weight.name.removeprefix(prefix): numpy_helper.to_array(weight)
        for weight in whole.graph.initializer
        if weight.name.startswith(prefix) and not weight.name.endswith(("_g", "_v"))
    }
    folded = folded_weights(whole, prefix)
    arrays |= {name.removeprefix(prefix): array for name, array in folded.items()}
    upsamplings = [node for node in whole.graph.node if node.op_type == "ConvTranspose"]
    attributes = [{a.name: helper.get_attribute_value(a) for a in node.attribute} for node in upsamplings]
    return DecoderWeights(arrays, tuple(a["strides"][0] for a in attributes), tuple(a["pads"][0] for a in attributes))
