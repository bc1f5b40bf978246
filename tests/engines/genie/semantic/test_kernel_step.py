"""The native decode step: what a row gets depends on nothing but the row; what cannot be right is refused."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from vivavoce.engines.genie.preparing.compile import CompiledVoice
from vivavoce.engines.genie.semantic import kernel_step
from vivavoce.engines.genie.semantic import model as semantic
from vivavoce.engines.genie.semantic.graph_step import GraphStep
from vivavoce.engines.genie.semantic.kernel_step import KernelStep, pack_weights, step_kernel
from vivavoce.engines.genie.semantic.key_value_cache import KeyValueCache

PLACES = 320
LENGTHS = (1, 7, 8, 9, 64, 0, 200, 319, 33, 12, 100, 3, 250, 17, 16, 15)
ROWS = len(LENGTHS)

Array = NDArray[np.float32]


@dataclass(slots=True, eq=False)
class Row:
    """A stream of the cache."""

    row: int | None
    length: int


@dataclass
class Bench:
    """A kernel over a cache filled with random keys and values."""

    step: KernelStep
    cache: KeyValueCache
    rows: list[Row]
    threads: int

    def run(self, rows: list[int]) -> Array:
        """Logits float32 [n, 1025]; the token and position of a row follow from its number."""
        return self.step.run(
            [self.rows[i] for i in rows], [17 * i for i in rows], [5 * i for i in rows], threads=self.threads
        )


def bench(compiled: CompiledVoice, threads: int, *, seed: int = 0) -> Bench:
    native = step_kernel()
    if native is None or compiled.kernel is None:
        pytest.skip("this processor cannot run the native step")
    cache, rng = KeyValueCache(ROWS, PLACES), np.random.default_rng(seed)
    rows = [Row(None, 0) for _ in LENGTHS]
    for row, length in zip(rows, LENGTHS, strict=True):
        filled = [rng.standard_normal((1, 16, length, 32), np.float32) for _ in cache.arrays]
        cache.take(row, filled)
    return Bench(KernelStep(native, compiled.kernel, cache, threads), cache, rows, threads)


@pytest.fixture(scope="module")
def alone(compiled: CompiledVoice) -> Array:
    """Each row by itself on one thread: float32 [16, 1025]."""
    one = bench(compiled, threads=1)
    return np.concatenate([one.run([i]) for i in range(ROWS)])


def test_the_rows_differ(alone: Array) -> None:
    """Control: the comparisons below could fail."""
    assert len({row.tobytes() for row in alone}) == ROWS


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("count", range(1, ROWS + 1))
def test_a_row_is_the_same_in_any_company_on_any_threads(
    compiled: CompiledVoice, alone: Array, count: int, threads: int
) -> None:
    chosen = list(np.random.default_rng(count).permutation(ROWS)[:count])
    np.testing.assert_array_equal(bench(compiled, threads).run(chosen), alone[chosen])


def test_a_step_writes_one_place_of_its_own_rows(compiled: CompiledVoice) -> None:
    one = bench(compiled, threads=2)
    before = [array.copy() for array in one.cache.arrays]
    one.run([3, 6])
    for array, old in zip(one.cache.arrays, before, strict=True):
        changed = (array != old).any(axis=(1, 3))  # [rows, places]
        assert [tuple(place) for place in np.argwhere(changed)] == [(3, LENGTHS[3]), (6, LENGTHS[6])]


def test_models_that_run_at_once_do_not_meet(compiled: CompiledVoice, alone: Array) -> None:
    """The team of threads belongs to one call; the other does with its own thread."""
    faults: list[str] = []

    def work(one: Bench, rows: list[int]) -> None:
        for _ in range(20):
            if not np.array_equal(one.run(rows), alone[rows]):
                faults.append(f"rows {rows}")

    threads = [threading.Thread(target=work, args=(bench(compiled, 2), rows)) for rows in ([0, 1], [7], [4, 6, 12])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


@pytest.mark.parametrize(("token", "position"), [(-1, 0), (1025, 0), (0, -1), (0, 2048)])
def test_tokens_and_positions_out_of_range_are_refused(compiled: CompiledVoice, token: int, position: int) -> None:
    one = bench(compiled, threads=1)
    with pytest.raises(ValueError, match="out of range"):
        one.step.run(one.rows[:1], [token], [position])


@pytest.mark.parametrize("length", [-1, PLACES, PLACES + 1])
def test_a_place_beyond_the_row_is_refused(compiled: CompiledVoice, length: int) -> None:
    one = bench(compiled, threads=1)
    one.rows[2].length = length
    before = [array.copy() for array in one.cache.arrays]
    with pytest.raises(ValueError, match="row of the cache"):
        one.run([2])
    for array, old in zip(one.cache.arrays, before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_weights_that_are_not_16_bits_are_refused(tmp_path: Path) -> None:
    one_third = dict.fromkeys(["transformer_encoder.layers.0.self_attn.in_proj_weight"], np.full((1536, 512), 1 / 3))
    with pytest.raises(ValueError, match="16-bit"):
        pack_weights({name: array.astype(np.float32) for name, array in one_third.items()}, tmp_path / "step.weights")


def test_a_library_of_another_version_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    if step_kernel() is None:
        pytest.skip("this processor cannot run the native step")
    older = SimpleNamespace(decode_step_is_supported=lambda: 1, decode_step_weights_bytes=lambda: 4)
    monkeypatch.setattr(kernel_step, "library", lambda: older)
    assert step_kernel() is None


def test_without_the_library_the_graph_speaks(compiled: CompiledVoice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(semantic, "step_kernel", lambda: None)
    model = semantic.SemanticModel(
        compiled.semantic / "prefill.onnx", compiled.step / "step.onnx", compiled.kernel, threads=1
    )
    assert isinstance(model.decode_step, GraphStep)
