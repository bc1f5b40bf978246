"""The streaming decoder gives the samples of one shot, however the frames arrive and whoever computes."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthetic_voice import Version
from vits_original import GE_V2, LATENT, compiled_vits, graph_vocoder, original_decoder, packed_decoder
from vivavoce.engines.genie.preparing.decoder_graph import DecoderWeights, Mode, decoder_graph
from vivavoce.engines.genie.sound.graph_decoder import GraphVocoder
from vivavoce.engines.genie.sound.kernel_decoder import KernelVocoder, vocoder_kernel
from vivavoce.engines.genie.sound.vits_model import VitsModel
from vivavoce.engines.genie.sound.vocoder import Vocoder
from vivavoce.errors import VoiceUnavailable
from vivavoce.onnx_session import WideSession

VERSIONS: tuple[Version, ...] = ("v2", "v2ProPlus")
SMALL_MODES: tuple[tuple[Mode, ...], ...] = (
    ("stream", "stream", "block", "block", "block"),
    ("block",) * 5,
    ("stream",) * 5,
)
Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


Computer = Literal["graph", "kernel"]
COMPUTERS: tuple[Computer, ...] = ("graph", "kernel")
pytestmark = pytest.mark.timeout(300)


@cache
def voice(version: Version) -> tuple[Array, Array]:
    """A speaker's condition and the timbre it comes from."""
    width = 512 if version == "v2" else 1024
    ge = np.random.default_rng(3).standard_normal((1, width, 1)).astype(np.float32)
    return VitsModel.open(compiled_vits(version), threads=2).speaker(ge).decoder, ge


@cache
def opened(computer: Computer, version: Version) -> Vocoder:
    if computer == "graph":
        return graph_vocoder(version)
    kernel = vocoder_kernel()
    if kernel is None:
        pytest.skip("this processor cannot run the native decoder")
    return Vocoder(KernelVocoder(kernel, packed_decoder(version), threads=2))


def latent(frames: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal((1, 192, frames)).astype(np.float32)


def one_shot(version: Version, z: Array) -> Array:
    """What Genie's own decoder makes of it."""
    timbre = GE_V2 if version == "v2" else "ge"
    samples: Array = original_decoder(version).run(["audio"], {LATENT[version]: z, timbre: voice(version)[1]})[0]
    return samples


def stream(vocoder: Vocoder, condition: Array, z: Array, chunks: list[int], *, flush_alone: bool = False) -> Array:
    """Samples of `z` cut into `chunks` frames."""
    assert sum(chunks) == z.shape[2]
    state, out, start = vocoder.start(condition), [], 0
    for index, frames in enumerate(chunks):
        last = index == len(chunks) - 1 and not flush_alone
        samples, state = vocoder.decode(z[:, :, start : start + frames], state, flush=last)
        out.append(samples)
        start += frames
    if flush_alone:
        out.append(vocoder.decode(z[:, :, :0], state, flush=True)[0])
    return np.concatenate(out)


@pytest.mark.parametrize("computer", COMPUTERS)
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("frames", [1, 2, 11, 12, 13])
def test_short_utterances_equal_one_shot(computer: Computer, version: Version, frames: int) -> None:
    vocoder, (condition, _) = opened(computer, version), voice(version)
    z = latent(frames, seed=frames)
    wanted = one_shot(version, z)

    for chunks, flush_alone in (([frames], False), ([frames], True), ([1] * frames, False), ([1] * frames, True)):
        samples = stream(vocoder, condition, z, chunks, flush_alone=flush_alone)
        assert samples.shape == wanted.shape == (640 * frames,)
        assert np.max(np.abs(samples - wanted)) < 1e-5


@pytest.mark.parametrize("computer", COMPUTERS)
@pytest.mark.parametrize("version", VERSIONS)
def test_any_chunking_equals_one_shot(computer: Computer, version: Version) -> None:
    vocoder, (condition, _) = opened(computer, version), voice(version)
    z = latent(36)
    wanted = one_shot(version, z)
    assert wanted.std() > 0.01, "silence would equal anything"

    for chunks, flush_alone in (
        ([36], True),
        ([22, 8, 6], False),
        ([12, 1, 1, 1, 21], True),
        ([5, 5, 5, 0, 20, 1], False),
    ):
        samples = stream(vocoder, condition, z, chunks, flush_alone=flush_alone)
        assert samples.shape == wanted.shape
        assert np.max(np.abs(samples - wanted)) < 1e-5


@pytest.mark.parametrize("computer", COMPUTERS)
def test_equality_notices_a_lost_frame_and_a_stale_state(computer: Computer) -> None:
    vocoder, (condition, _) = opened(computer, "v2"), voice("v2")
    z = latent(30)
    wanted = one_shot("v2", z)

    first, state = vocoder.decode(z[:, :, :15], vocoder.start(condition))
    lost, _ = vocoder.decode(z[:, :, 16:], state, flush=True)
    assert np.max(np.abs(lost - wanted[len(first) : len(first) + len(lost)])) > 1e-2
    stale, _ = vocoder.decode(z[:, :, 15:], vocoder.start(condition), flush=True)
    assert np.max(np.abs(stale[:640] - wanted[len(first) : len(first) + 640])) > 1e-2
    other, _ = vocoder.decode(z, vocoder.start(condition * np.float32(0.9)), flush=True)
    assert np.max(np.abs(other - wanted)) > 1e-3


@pytest.mark.parametrize("computer", COMPUTERS)
def test_two_streams_interleaved_equal_each_alone(computer: Computer) -> None:
    vocoder, (condition, _) = opened(computer, "v2"), voice("v2")
    other = condition * np.float32(0.5)
    one, two = latent(30, seed=1), latent(30, seed=2)
    alone = [stream(vocoder, condition, one, [15, 15]), stream(vocoder, other, two, [15, 15])]

    states = [vocoder.start(condition), vocoder.start(other)]
    mixed: list[list[Array]] = [[], []]
    for start in (0, 15):
        for index, z in enumerate((one, two)):
            samples, states[index] = vocoder.decode(z[:, :, start : start + 15], states[index], flush=start > 0)
            mixed[index].append(samples)

    for index in range(2):
        assert np.array_equal(np.concatenate(mixed[index]), alone[index])


@pytest.mark.parametrize("computer", COMPUTERS)
def test_a_state_is_a_value(computer: Computer) -> None:
    vocoder, (condition, _) = opened(computer, "v2"), voice("v2")
    z = latent(30)
    _, state = vocoder.decode(z[:, :, :15], vocoder.start(condition))
    kept = [layer.copy() for layer in state.layers]

    once, _ = vocoder.decode(z[:, :, 15:], state, flush=True)
    twice, _ = vocoder.decode(z[:, :, 15:], state, flush=True)

    assert np.array_equal(once, twice)
    assert all(np.array_equal(layer, before) for layer, before in zip(state.layers, kept, strict=True))
    assert sum(layer.nbytes for layer in state.layers) < 1_000_000


@pytest.mark.parametrize("computer", COMPUTERS)
def test_nothing_in_nothing_out(computer: Computer) -> None:
    vocoder, (condition, _) = opened(computer, "v2"), voice("v2")
    samples, state = vocoder.decode(latent(0), vocoder.start(condition))
    assert samples.shape == (0,)
    samples, state = vocoder.decode(latent(11), state)
    assert samples.shape == (0,)
    assert not state.running
    assert state.seen == 0
    assert vocoder.decode(latent(0), vocoder.start(condition), flush=True)[0].shape == (0,)


def test_a_graph_without_its_description_is_refused() -> None:
    model = decoder_graph(_small_weights())
    del model.metadata_props[:]
    with pytest.raises(VoiceUnavailable, match="prepare the voice again"):
        GraphVocoder(_session(model.SerializeToString()))


# -- a small decoder, every chunking -----------------------------------------------------------------------------


@given(
    chunks=st.lists(st.integers(0, 9), min_size=1, max_size=8).filter(lambda chunks: sum(chunks) > 0),
    flush_alone=st.booleans(),
    mode=st.integers(0, len(SMALL_MODES) - 1),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_random_chunkings_of_a_small_decoder(chunks: list[int], flush_alone: bool, mode: int) -> None:
    vocoder, condition = _small(mode)
    z = latent(sum(chunks), seed=4)
    wanted = stream(vocoder, condition, z, [sum(chunks)])
    samples = stream(vocoder, condition, z, chunks, flush_alone=flush_alone)
    assert samples.shape == wanted.shape == (640 * sum(chunks),)
    assert np.max(np.abs(samples - wanted)) < 1e-5


@cache
def _small(mode: int) -> tuple[Vocoder, Array]:
    session = _session(decoder_graph(_small_weights(), SMALL_MODES[mode], fast_from=3).SerializeToString())
    return Vocoder(GraphVocoder(session)), np.full((1, 8, 1), 0.1, np.float32)


def _session(model: bytes) -> WideSession:
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    return WideSession(session, session)


def _small_weights() -> DecoderWeights:
    """The layers of a decoder with few channels; v2's upsampling, whose kernels are the least regular."""
    rng = np.random.default_rng(5)
    widths, strides, kernels = (8, 6, 5, 4, 3, 2), (10, 8, 2, 2, 2), (16, 16, 8, 2, 2)
    arrays: dict[str, Array] = {}

    def add(name: str, *shape: int) -> None:
        arrays[f"{name}.weight"] = (rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
        arrays[f"{name}.bias"] = (0.1 * rng.standard_normal(shape[0])).astype(np.float32)

    add("conv_pre", widths[0], 192, 7)
    add("conv_post", 1, widths[-1], 7)
    del arrays["conv_post.bias"]
    for level, (stride, kernel) in enumerate(zip(strides, kernels, strict=True)):
        add(f"ups.{level}", widths[level], widths[level + 1], kernel)
        arrays[f"ups.{level}.weight"] *= np.float32(np.sqrt(stride))
        arrays[f"ups.{level}.bias"] = arrays[f"ups.{level}.bias"][: widths[level + 1]]
        for block, width in enumerate((3, 7, 11)):
            for name in (f"convs{half}.{pair}" for half in (1, 2) for pair in range(3)):
                add(f"resblocks.{3 * level + block}.{name}", widths[level + 1], widths[level + 1], width)
    paddings = tuple((kernel - stride) // 2 for kernel, stride in zip(kernels, strides, strict=True))
    return DecoderWeights(arrays, strides, paddings)
