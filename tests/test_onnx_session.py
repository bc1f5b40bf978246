"""Models open checked, and share cores as they should."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from vivavoce.errors import VoiceUnavailable
from vivavoce.onnx_session import Signature, open_session, open_wide


@pytest.fixture
def doubling(tmp_path: Path) -> Path:
    """A model that adds its input to itself."""
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        "doubling",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])],
    )
    path = tmp_path / "doubling.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), path)
    return path


def test_a_model_with_the_expected_names_opens(doubling: Path) -> None:
    session = open_session(doubling, signature=Signature({"x"}, {"y"}))
    (y,) = session.run(["y"], {"x": np.ones(3, np.float32)})
    np.testing.assert_array_equal(y, [2, 2, 2])


@pytest.mark.parametrize("expected", [Signature({"x", "z"}, {"y"}), Signature({"x"}, {"z"}), Signature((), {"y"})])
def test_another_signature_is_refused(doubling: Path, expected: Signature) -> None:
    with pytest.raises(VoiceUnavailable, match=r"doubling\.onnx.*inputs"):
        open_session(doubling, signature=expected)


def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "noise.onnx").write_bytes(b"noise")
    for path in (tmp_path / "noise.onnx", tmp_path / "nothing.onnx"):
        with pytest.raises(VoiceUnavailable, match=path.name):
            open_session(path)


def test_a_call_runs_on_the_threads_it_is_given(doubling: Path) -> None:
    session = open_wide(doubling, threads=2)
    assert session.of(1) is session.narrow
    assert session.of(2) is session.of(3) is session.wide
    for threads in (1, 2):
        (y,) = session.run(["y"], {"x": np.ones(2, np.float32)}, threads=threads)
        np.testing.assert_array_equal(y, [2, 2])


def test_with_one_thread_there_is_one_session(doubling: Path) -> None:
    session = open_wide(doubling, threads=1)
    assert session.wide is session.narrow
