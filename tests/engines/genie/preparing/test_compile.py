"""A voice is compiled once; a cache entry is whole or absent, and changes with everything it depends on."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import onnx
import onnxruntime as ort
import pytest
from numpy.testing import assert_array_equal

from vivavoce.engines.genie.preparing import building
from vivavoce.engines.genie.preparing import compile as compiling
from vivavoce.engines.genie.preparing.compile import CompiledVoice, compile_voice
from vivavoce.engines.genie.preparing.source import KERNEL_FILE, VOCODER_FILE, VoiceSource
from vivavoce.engines.packed_weights import save_sharing_weights
from vivavoce.engines.prepared import PARTS_FILE
from vivavoce.onnx_session import open_session


@pytest.fixture(scope="module")
def source(voice_v2pp: Path) -> VoiceSource:
    return VoiceSource.read(voice_v2pp)


FILES = {"kernel": KERNEL_FILE, "vocoder": VOCODER_FILE}
BUILD_VOCODER = building.build_vocoder


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Builders that write a small file instead of a graph, and what they were asked for; no native kernels here."""
    asked: list[str] = []

    def build(name: str) -> object:
        def write(source: VoiceSource, *folders: Path) -> None:
            asked.append(name)
            (folders[-1] / FILES.get(name, f"{name}.onnx")).write_bytes(b"graph")

        return write

    for name in ("semantic", "int8", "kernel", "vits", "vocoder"):
        monkeypatch.setattr(building, f"build_{name}", build(name))
    monkeypatch.setattr(compiling, "step_kernel", lambda: None)
    monkeypatch.setattr(compiling, "vocoder_kernel", lambda: None)
    return asked


def test_a_prepared_voice_is_not_built_again(source: VoiceSource, quick: list[str], tmp_path: Path) -> None:
    first = compile_voice(source, tmp_path)
    assert quick == ["semantic", "vits"]
    assert compile_voice(source, tmp_path) == first
    assert quick == ["semantic", "vits"]


def test_eight_bits_are_built_beside(source: VoiceSource, quick: list[str], tmp_path: Path) -> None:
    compile_voice(source, tmp_path)
    small = compile_voice(source, tmp_path, precision="int8")
    assert quick == ["semantic", "vits", "int8"]
    assert small.step != small.semantic


@pytest.mark.parametrize(("part", "library"), [("kernel", "step_kernel"), ("vocoder", "vocoder_kernel")])
def test_a_native_kernel_has_weights_of_its_own(
    source: VoiceSource, quick: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, library: str
) -> None:
    assert getattr(compile_voice(source, tmp_path), part) is None
    monkeypatch.setattr(compiling, library, lambda: "there is one now")
    assert getattr(compile_voice(source, tmp_path), part) is not None
    assert quick == ["semantic", "vits", part]


def test_the_native_step_has_no_eight_bits(
    source: VoiceSource, quick: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "step_kernel", lambda: "there is one")
    assert compile_voice(source, tmp_path).kernel is not None
    assert compile_voice(source, tmp_path, precision="int8").kernel is None


def test_the_graph_decodes_where_it_was_measured_to_be_faster(
    source: VoiceSource, quick: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[tuple[str, str]] = []

    def slower(graph: Path, weights: Path) -> bool:
        measured.append((graph.name, weights.name))
        return False

    monkeypatch.setattr(building, "build_vocoder", BUILD_VOCODER)
    monkeypatch.setattr(compiling, "vocoder_kernel", lambda: "there is one")
    monkeypatch.setattr(building, "decoder_weights", lambda weights: None)
    monkeypatch.setattr(building, "with_weights", lambda weights: None)
    monkeypatch.setattr(building, "save_vocoder_weights", lambda weights, path: path.write_bytes(b"weights"))
    monkeypatch.setattr(building, "kernel_is_faster", slower)
    for _ in range(2):
        assert compile_voice(source, tmp_path).vocoder is None
    assert measured == [("decoder.onnx", VOCODER_FILE)], "once"
    assert list(tmp_path.glob(f"*/{VOCODER_FILE}")) == [], "weights that nobody reads take no room"


@pytest.mark.parametrize(
    ("changed", "rebuilt"),
    [("t2s_shared_fp16.bin", ["semantic"]), ("vits_fp16.bin", ["vits"]), ("prompt_encoder_fp16.bin", ["vits"])],
)
def test_changed_weights_are_another_voice(
    source: VoiceSource, quick: list[str], tmp_path: Path, changed: str, rebuilt: list[str]
) -> None:
    compile_voice(source, tmp_path)
    quick.clear()
    other = dataclasses.replace(source, digests={**source.digests, changed: "0" * 64})
    compile_voice(other, tmp_path)
    assert quick == rebuilt


@pytest.mark.parametrize("what", ["processor", "__version__"])
def test_another_machine_builds_its_own(
    source: VoiceSource, quick: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    compile_voice(source, tmp_path)
    monkeypatch.setattr(*((compiling, what, lambda: "another") if what == "processor" else (ort, what, "9.9")))
    compile_voice(source, tmp_path)
    assert quick == ["semantic", "vits"] * 2


@pytest.mark.parametrize("damage", ["truncated", "gone", "no list"])
def test_a_damaged_entry_is_built_again(source: VoiceSource, quick: list[str], tmp_path: Path, damage: str) -> None:
    folder = compile_voice(source, tmp_path).vits
    graph = folder / "vits.onnx"
    if damage == "truncated":
        graph.write_bytes(b"gra")
    elif damage == "gone":
        graph.unlink()
    else:
        (folder / PARTS_FILE).write_text("{")
    compile_voice(source, tmp_path)
    assert quick == ["semantic", "vits", "vits"]
    assert json.loads((folder / PARTS_FILE).read_text()) == {"vits.onnx": 5}


def test_a_build_that_fails_leaves_nothing(
    source: VoiceSource, quick: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(source: VoiceSource, folder: Path) -> None:
        (folder / "half.onnx").write_bytes(b"half")
        raise MemoryError

    monkeypatch.setattr(building, "build_vits", fail)
    with pytest.raises(MemoryError):
        compile_voice(source, tmp_path)
    assert [path.name.partition("-")[0] for path in tmp_path.iterdir()] == ["semantic"]


def test_progress_is_told(source: VoiceSource, quick: list[str], tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    compile_voice(source, tmp_path, progress=lambda what, fraction: told.append((what, fraction)))
    assert [fraction for _, fraction in told] == sorted(fraction for _, fraction in told)
    assert told[-1][1] == 1.0


def test_two_graphs_share_one_file_of_weights(compiled: CompiledVoice) -> None:
    def packed(name: str) -> dict[str, str]:
        model = onnx.load(compiled.semantic / f"{name}.onnx", load_external_data=False)
        entries = {t.name: {e.key: e.value for e in t.external_data} for t in model.graph.initializer}
        return {tensor: found["prepacked_0"] for tensor, found in entries.items() if "prepacked_0" in found}

    prefill, step = packed("prefill"), packed("step")
    assert len(step) == 24 * 4 + 1
    assert {name: prefill[name] for name in step} == step


def test_a_saved_graph_computes_the_same(tmp_path: Path) -> None:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    weight = rng.standard_normal((64, 96), np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 96])],
        [numpy_helper.from_array(weight, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    save_sharing_weights({"one": model, "two": model}, tmp_path, "weights.data")
    x = rng.standard_normal((3, 64), np.float32)
    plain = open_session(model.SerializeToString())
    for name in ("one", "two"):
        saved = open_session(tmp_path / f"{name}.onnx", optimization="none")
        assert_array_equal(saved.run(None, {"x": x})[0], plain.run(None, {"x": x})[0])
