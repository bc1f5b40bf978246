"""Our prefill and step graphs compute what Genie's own compute; every comparison has a control that must fail.

The originals run as genie-tts runs them: same files, same offset rule, one stream, positions counted from 1. Only an
output is added, the logits before their sampler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from vivavoce.engines.genie.preparing.compile import CompiledVoice
from vivavoce.engines.genie.preparing.weights import PackWeights, with_weights
from vivavoce.engines.genie.semantic.model import SemanticModel, SemanticPrompt, SemanticState
from vivavoce.engines.genie.semantic.sampling import SamplingOptions

TOLERANCE = 1e-3
LOGITS = "/ar_predict_layer/MatMul_output_0"
Array = NDArray[np.float32]


@dataclass
class Original:
    """Genie's graphs, driven as `Core/Inference.py` of genie-tts drives them, but with given tokens."""

    encoder: ort.InferenceSession
    first: ort.InferenceSession
    stage: ort.InferenceSession

    def logits(self, prompt: SemanticPrompt, tokens: Sequence[int]) -> list[Array]:
        """Logits of the first token and after each of `tokens`."""
        x, caches, logits = self.prefill(prompt)
        found = [logits]
        y = np.concatenate([prompt.tokens, [[tokens[0]]]], axis=1)
        embedded = x
        names = [node.name for node in self.stage.get_inputs()]
        outputs = ["y_emb", LOGITS, *(f"present_{kind}_layer_{i}" for i in range(24) for kind in "kv")]
        for index in range(len(tokens)):
            embedded, logits, *caches = self.stage.run(outputs, dict(zip(names, [y, embedded, *caches], strict=True)))
            found.append(logits[0])
            if index + 1 < len(tokens):
                y = np.concatenate([y, [[tokens[index + 1]]]], axis=1)
        return found

    def prefill(self, prompt: SemanticPrompt) -> tuple[Array, list[Array], Array]:
        """y_emb, keys and values, logits."""
        count = prompt.reference_phonemes
        feed = {
            "ref_seq": prompt.phonemes[:, :count],
            "text_seq": prompt.phonemes[:, count:],
            "ref_bert": prompt.bert[:count],
            "text_bert": prompt.bert[count:],
            "ssl_content": np.zeros((1, 768, 4), np.float32),
        }
        (x,) = self.encoder.run(["x"], feed)
        outputs = ["y_emb", LOGITS, *(f"present_{kind}_layer_{i}" for i in range(24) for kind in "kv")]
        embedded, logits, *caches = self.first.run(outputs, {"x": x, "prompts": prompt.tokens})
        return embedded, caches, logits[0]


@pytest.fixture(scope="module")
def original(voice_v2pp: Path) -> Original:
    def session(name: str) -> ort.InferenceSession:
        model = with_weights(PackWeights(voice_v2pp / name, voice_v2pp / "t2s_shared_fp16.bin"))
        model.graph.output.append(onnx.helper.make_tensor_value_info(LOGITS, onnx.TensorProto.FLOAT, [1, 1025]))
        return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

    encoder = ort.InferenceSession(str(voice_v2pp / "t2s_encoder_fp32.onnx"), providers=["CPUExecutionProvider"])
    return Original(encoder, session("t2s_first_stage_decoder_fp32.onnx"), session("t2s_stage_decoder_fp32.onnx"))


def opened(compiled: CompiledVoice, *, native: bool = False, step: Path | None = None) -> SemanticModel:
    if native and compiled.kernel is None:
        pytest.skip("this processor cannot run the native step")
    graphs = compiled.semantic / "prefill.onnx", (step or compiled.step) / "step.onnx"
    return SemanticModel(*graphs, compiled.kernel if native else None, threads=2, positions="genie")


@pytest.fixture(scope="module", params=["kernel", "graph"])
def ours(compiled: CompiledVoice, request: pytest.FixtureRequest) -> SemanticModel:
    """Both ways of computing a step."""
    return opened(compiled, native=request.param == "kernel")


def prompt(seed: int, reference: int, target: int, tokens: int) -> SemanticPrompt:
    """Random phonemes, features and prompt tokens."""
    rng = np.random.default_rng(seed)
    count = reference + target
    return SemanticPrompt(
        rng.integers(0, 732, (1, count)),
        rng.standard_normal((count, 1024), np.float32),
        rng.integers(0, 1024, (1, tokens)),
        reference,
    )


def spoken(model: SemanticModel, states: Sequence[SemanticState], tokens: Sequence[Sequence[int]]) -> list[list[Array]]:
    """Logits after each given token of each state, all states in one pass."""
    found: list[list[Array]] = [[] for _ in states]
    for step in range(len(tokens[0])):
        for state, said in zip(states, tokens, strict=True):
            state.tokens = list(said[: step + 1])
        for rows, state, logits in zip(found, states, model.forward(states), strict=True):
            rows.append(logits.copy())
            state.length += 1
    return found


def started(model: SemanticModel, *prompts: SemanticPrompt) -> list[SemanticState]:
    states = [model.begin(one, SamplingOptions(), seed=0) for one in prompts]
    for state in states:
        model.prefill(state)
    return states


def distance(found: Sequence[Array], expected: Sequence[Array]) -> float:
    return max(float(np.abs(one - other).max()) for one, other in zip(found, expected, strict=True))


PROMPT = prompt(1, 20, 30, 60)
TOKENS = [3, 999, 420, 7, 7, 512, 1023, 0, 88, 301, 640, 12]


def test_prefill_equals_the_original(original: Original, ours: SemanticModel) -> None:
    _, caches, logits = original.prefill(PROMPT)
    found, places = ours.read(PROMPT)
    assert distance([found], [logits]) < TOLERANCE
    for ours_, theirs in zip(places, caches, strict=True):
        if ours_ is not places[0]:
            np.testing.assert_allclose(ours_[0].transpose(1, 0, 2).reshape(-1, 512), theirs[:, 0], atol=TOLERANCE)


@pytest.mark.parametrize("change", ["phoneme", "prompt token", "feature"])
def test_control_prefill_notices_another_input(original: Original, ours: SemanticModel, change: str) -> None:
    _, _, logits = original.prefill(PROMPT)
    other = SemanticPrompt(PROMPT.phonemes.copy(), PROMPT.bert.copy(), PROMPT.tokens.copy(), PROMPT.reference_phonemes)
    if change == "phoneme":
        other.phonemes[0, 11] = (other.phonemes[0, 11] + 1) % 732
    elif change == "prompt token":
        other.tokens[0, 40] = (other.tokens[0, 40] + 1) % 1024
    else:
        other.bert[11, 100] += 5
    assert distance([ours.read(other)[0]], [logits]) > 10 * TOLERANCE


def test_steps_equal_the_original(original: Original, ours: SemanticModel) -> None:
    expected = original.logits(PROMPT, TOKENS)
    assert len({int(logits[:1024].argmax()) for logits in expected}) > 5, "the voice does not listen to its input"
    (state,) = started(ours, PROMPT)
    (found,) = spoken(ours, [state], [TOKENS])
    ours.close(state)
    assert distance(found, expected[1:]) < TOLERANCE


def test_a_batch_of_four_lengths_equals_the_original(original: Original, ours: SemanticModel) -> None:
    prompts = [prompt(seed, 10 + 7 * seed, 20 + 9 * seed, 25 + 31 * seed) for seed in range(4)]
    said = [list(np.random.default_rng(seed).integers(0, 1024, 6)) for seed in range(4)]
    states = started(ours, *prompts)
    found = spoken(ours, states, said)
    for state, row, one, tokens in zip(states, found, prompts, said, strict=True):
        ours.close(state)
        assert distance(row, original.logits(one, tokens)[1:]) < TOLERANCE


def damaged(model: SemanticModel, state: SemanticState, what: str) -> None:
    arrays, row = model.cache.arrays, state.row
    assert row is not None
    if what == "keys and values of layer 7 swapped":
        arrays[14][row], arrays[15][row] = arrays[15][row].copy(), arrays[14][row].copy()
    elif what == "a place of layer 11 zeroed":
        arrays[22][row, :, 40] = 0
    elif what == "a length off by one":
        state.length -= 1


@pytest.mark.parametrize(
    "what", ["keys and values of layer 7 swapped", "a place of layer 11 zeroed", "a length off by one"]
)
def test_control_a_damaged_cache_is_noticed(original: Original, ours: SemanticModel, what: str) -> None:
    expected = original.logits(PROMPT, TOKENS[:2])
    (state,) = started(ours, PROMPT)
    damaged(ours, state, what)
    (found,) = spoken(ours, [state], [TOKENS[:2]])
    ours.close(state)
    assert distance(found, expected[1:]) > 10 * TOLERANCE


def test_control_a_wrong_token_is_noticed(original: Original, ours: SemanticModel) -> None:
    expected = original.logits(PROMPT, TOKENS[:2])
    (state,) = started(ours, PROMPT)
    (found,) = spoken(ours, [state], [[TOKENS[0] + 1, TOKENS[1]]])
    ours.close(state)
    assert min(distance([one], [other]) for one, other in zip(found, expected[1:], strict=True)) > 10 * TOLERANCE


@pytest.mark.parametrize("native", [True, False])
def test_control_a_position_off_by_one_is_noticed(original: Original, compiled: CompiledVoice, native: bool) -> None:
    model = opened(compiled, native=native)
    (state,) = started(model, PROMPT)
    model.first_position += 1  # the prompt was read with the right ones
    (found,) = spoken(model, [state], [TOKENS[:2]])
    assert distance(found, original.logits(PROMPT, TOKENS[:2])[1:]) > 10 * TOLERANCE


def test_trained_positions_differ_by_exactly_one(ours: SemanticModel, compiled: CompiledVoice) -> None:
    """`trained` counts from 0: the same as Genie's graphs would say had their sums begun with 0."""
    model = SemanticModel(compiled.semantic / "prefill.onnx", compiled.step / "step.onnx", positions="trained")
    trained, _ = model.read(PROMPT)
    genie, _ = ours.read(PROMPT)
    assert distance([trained], [genie]) > 10 * TOLERANCE
    model.first_position = 1
    assert distance([model.read(PROMPT)[0]], [genie]) < TOLERANCE


@pytest.mark.parametrize("tokens", [0, 1, 2])
def test_prompts_too_short_for_genie_work(ours: SemanticModel, tokens: int) -> None:
    """Genie's graph crashes with one prompt token; none is a voice without a prompt."""
    (state,) = started(ours, prompt(5, 0 if tokens == 0 else 4, 12, tokens))
    ours.step([state])
    ours.close(state)
    assert len(state.tokens) == 2


def divergence(logits: Array, other: Array) -> float:
    """Kullback-Leibler divergence of two softmaxes over the 1024 codes."""

    def logs(row: Array) -> NDArray[np.float64]:
        row = row[:1024].astype(np.float64)
        return np.asarray(row - row.max() - np.log(np.exp(row - row.max()).sum()))

    one, two = logs(logits), logs(other)
    return float((np.exp(one) * (one - two)).sum())


def test_eight_bits_stay_close(original: Original, compiled: CompiledVoice) -> None:
    key = compiled.semantic.name.rpartition("-")[2]
    folder = compiled.semantic.parent / f"step-int8-{key}"
    model = opened(compiled, step=folder)
    (state,) = started(model, PROMPT)
    (found,) = spoken(model, [state], [TOKENS])
    expected = original.logits(PROMPT, TOKENS)[1:]
    assert np.mean([divergence(one, other) for one, other in zip(expected, found, strict=True)]) < 0.02
    assert divergence(expected[0], found[1]) > 0.5, "control: another step's logits are far away"
