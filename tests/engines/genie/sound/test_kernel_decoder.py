"""The native decoder: the bits do not depend on threads or neighbours; what cannot be right is refused.

That its samples are those of one shot is tested with the graph's, in `test_vocoder.py`.
"""

from __future__ import annotations

import functools
import resource
import shutil
import threading
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from synthetic_voice import Version
from vits_original import compiled_vits, graph_vocoder, packed_decoder
from vivavoce.engines.genie.sound import kernel_decoder as kernel_vocoder
from vivavoce.engines.genie.sound import vocoder as vocoding
from vivavoce.engines.genie.sound.decoder_file import read_header
from vivavoce.engines.genie.sound.graph_decoder import GraphVocoder
from vivavoce.engines.genie.sound.kernel_decoder import KernelVocoder, vocoder_kernel
from vivavoce.engines.genie.sound.vocoder import Decoder, Vocoder, kernel_is_faster
from vivavoce.errors import VoiceUnavailable

VERSIONS: tuple[Version, ...] = ("v2", "v2ProPlus")
CONDITIONS = {"v2": 512, "v2ProPlus": 768}
Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


@cache
def kernel(version: Version = "v2", threads: int = 2) -> KernelVocoder:
    return opened(packed_decoder(version), threads)


def opened(weights: Path, threads: int = 2) -> KernelVocoder:
    native = vocoder_kernel()
    if native is None:
        pytest.skip("this processor cannot run the native decoder")
    return KernelVocoder(native, weights, threads)


def latent(frames: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal((1, 192, frames)).astype(np.float32)


def condition(version: Version = "v2", seed: int = 0) -> Array:
    return (0.3 * np.random.default_rng(seed).standard_normal((1, CONDITIONS[version], 1))).astype(np.float32)


def stream(vocoder: Vocoder, z: Array, chunks: list[int], speaker: Array, threads: int = 2) -> Array:
    state, out, start = vocoder.start(speaker), [], 0
    for index, frames in enumerate(chunks):
        samples, state = vocoder.decode(
            z[:, :, start : start + frames], state, flush=index == len(chunks) - 1, threads=threads
        )
        out.append(samples)
        start += frames
    return np.concatenate(out)


@pytest.mark.parametrize("version", VERSIONS)
def test_it_says_what_the_graph_says(version: Version) -> None:
    chunks = [22, 8, 10, 1, 70]  # 70: more than the kernel takes at once
    z, speaker = latent(sum(chunks)), condition(version)
    wanted = stream(graph_vocoder(version), z, chunks, speaker)
    assert np.max(np.abs(stream(Vocoder(kernel(version)), z, chunks, speaker) - wanted)) < 1e-5


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("threads", [2, 3, 5])
def test_the_bits_do_not_depend_on_the_threads(version: Version, threads: int) -> None:
    z, speaker = latent(40, seed=1), condition(version)
    alone = stream(Vocoder(kernel(version, threads=1)), z, [13, 7, 20], speaker, threads=1)
    assert np.array_equal(stream(Vocoder(kernel(version, threads)), z, [13, 7, 20], speaker, threads), alone)


def test_streams_that_run_at_once_do_not_meet() -> None:
    """One scratch a call, one team for one call; the others do with their own thread."""
    vocoder = Vocoder(kernel())
    cases = [(latent(30, seed), condition(seed=seed)) for seed in range(3)]
    alone = [stream(vocoder, z, [15, 15], speaker) for z, speaker in cases]
    faults: list[int] = []

    def work(case: int) -> None:
        for _ in range(4):
            if not np.array_equal(stream(vocoder, cases[case][0], [15, 15], cases[case][1]), alone[case]):
                faults.append(case)

    threads = [threading.Thread(target=work, args=(case,)) for case in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert not np.array_equal(alone[0], alone[1])


def test_equality_notices_a_forgotten_state_and_a_wrong_tap(tmp_path: Path) -> None:
    decoder, z, speaker = kernel(), latent(40), condition()
    _, layers = decoder.decode(z[:, :, :20], speaker, decoder.start(), 0, flush=False, threads=2)
    wanted, _ = decoder.decode(z[:, :, 20:], speaker, layers, 20, flush=True, threads=2)

    kept = np.flatnonzero(layers[0])
    for lost in (slice(0, 1000), slice(len(kept) // 2, len(kept) // 2 + 1000), slice(-60, None)):
        holed = layers[0].copy()
        holed[kept[lost]] = 0
        other, _ = decoder.decode(z[:, :, 20:], speaker, (holed,), 20, flush=True, threads=2)
        assert np.max(np.abs(other - wanted)) > 1e-4

    copy = tmp_path / "decoder.weights"
    shutil.copyfile(packed_decoder("v2"), copy)
    header, start = read_header(copy)
    layer = header["layers"]["first.4.0.1"]  # the narrowest level, kernel of 3, plain: [1, 3, 16, 16]
    assert layer["method"] == 0
    numbers = np.memmap(copy, np.float32, mode="r+", offset=start)
    taps = numbers[layer["weights"] : layer["weights"] + layer["size"]].reshape(3, -1)
    taps[[0, 1]] = taps[[1, 0]]
    numbers.flush()
    swapped = opened(copy)
    assert np.max(np.abs(swapped.decode(z[:, :, 20:], speaker, layers, 20, flush=True, threads=2)[0] - wanted)) > 1e-4


def test_nonsense_is_refused() -> None:
    decoder, speaker = kernel(), condition()
    start = decoder.start()
    with pytest.raises(ValueError, match="none of this decoder"):
        decoder.decode(np.zeros((1, 191, 12), np.float32), speaker, start, 0, flush=False, threads=2)
    with pytest.raises(ValueError, match="none of this decoder"):
        decoder.decode(latent(12), speaker, (start[0][1:],), 0, flush=False, threads=2)
    with pytest.raises(ValueError, match="511 channels"):
        decoder.decode(latent(12), speaker[:, 1:], start, 0, flush=False, threads=2)
    for seen in (-1, 2**40):
        with pytest.raises(ValueError, match="cannot be decoded"):
            decoder.decode(latent(12), speaker, start, seen, flush=False, threads=2)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    whole = packed_decoder("v2").read_bytes()
    line = whole[: whole.index(b"\n") + 1]
    broken = {
        "missing": None,
        "empty": b"",
        "no header": whole[100:4000],
        "cut off": whole[: len(whole) // 2 // 4 * 4],
        "other layers": whole.replace(b'"first.0.0.0"', b'"first.0.0.9"', 1),
        "other shape": line.replace(b'"inputs": 192,', b'"inputs": 193,', 1) + whole[len(line) :],
        "other method": line.replace(b'"method": 0}', b'"method": 9}', 1) + whole[len(line) :],
        "other stride": line.replace(b'"strides": [10,', b'"strides": [99,', 1) + whole[len(line) :],
    }
    for name, content in broken.items():
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(VoiceUnavailable, match="prepare the voice again"):
            opened(path)


def test_memory_does_not_grow() -> None:
    vocoder, z = Vocoder(kernel()), latent(12)

    def decode(times: int) -> int:
        for _ in range(times):
            vocoder.decode(z, vocoder.start(condition()))
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB

    before = decode(20)
    assert decode(200) - before < 8 * 1024


def test_the_graph_decodes_where_the_kernel_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = compiled_vits("v2") / "decoder.onnx"
    if vocoder_kernel() is not None:
        assert isinstance(Vocoder.open(graph, packed_decoder("v2"), 1).decoder, KernelVocoder)
    assert isinstance(Vocoder.open(graph, None, 1).decoder, GraphVocoder)
    monkeypatch.setattr(vocoding, "vocoder_kernel", lambda: None)
    assert isinstance(Vocoder.open(graph, packed_decoder("v2"), 1).decoder, GraphVocoder)


@pytest.mark.parametrize("winner", [KernelVocoder, GraphVocoder])
def test_the_quicker_one_is_measured(monkeypatch: pytest.MonkeyPatch, winner: type) -> None:
    if vocoder_kernel() is None:
        pytest.skip("this processor cannot run the native decoder")
    measured: list[type] = []

    def frame_s(decoder: Decoder, condition: Array) -> float:
        measured.append(type(decoder))
        took_s = vocoding_frame_s(decoder, condition)
        assert took_s > 0
        return 1.0 if isinstance(decoder, winner) else 2.0

    vocoding_frame_s = vocoding.frame_s
    monkeypatch.setattr(vocoding, "frame_s", frame_s)
    assert kernel_is_faster(compiled_vits("v2") / "decoder.onnx", packed_decoder("v2")) is (winner is KernelVocoder)
    assert measured == [KernelVocoder, GraphVocoder] * 4, "in turns, so that load meets both"


def test_a_library_of_another_version_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    if vocoder_kernel() is None:
        pytest.skip("this processor cannot run the native decoder")
    functions = ("vocode", "vocoder_is_supported", "vocoder_bytes", "vocoder_state_floats", "vocoder_scratch_floats")
    older = SimpleNamespace(**{name: functools.partial(int, 8) for name in functions})
    monkeypatch.setattr(kernel_vocoder, "library", lambda: older)
    assert vocoder_kernel() is None
