"""Plain pickles are read as Python reads them; any other is refused before it does anything."""

from __future__ import annotations

import contextlib
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.safe_pickle import UnsafePickle, read_plain_pickle

plain = st.recursive(
    st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=20,
)


class Touch:
    """Unpickling it creates a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return Path.touch, (self.target,)


@given(value=plain, protocol=st.sampled_from([4, 5]))
def test_plain_data_read_as_python_reads_them(
    value: object, protocol: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "plain.pickle"
    path.write_bytes(pickle.dumps(value, protocol))

    assert read_plain_pickle(path) == value


def test_long_memos_and_long_strings(tmp_path: Path) -> None:
    value = {f"word {number}": [["AA1", "B" * (number % 400)]] * 2 for number in range(3000)}
    path = tmp_path / "data.pickle"
    path.write_bytes(pickle.dumps(value))

    assert read_plain_pickle(path) == value


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_calls_is_refused_and_calls_nothing(tmp_path: Path, protocol: int) -> None:
    target = tmp_path / "executed"
    hostile = tmp_path / "hostile.pickle"
    hostile.write_bytes(pickle.dumps({"word": [Touch(target)]}, protocol))

    with pytest.raises(UnsafePickle, match=r"hostile\.pickle is refused"):
        read_plain_pickle(hostile)
    assert not target.exists()

    pickle.loads(hostile.read_bytes())  # the control: Python's own reader does it
    assert target.exists()


@pytest.mark.parametrize(
    "program",
    [
        b"cos\nsystem\n(S'true'\ntR.",  # global, reduce
        b"(ios\nsystem\n.",  # instance
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",  # global from the stack
        b"\x80\x02\x82\x01.",  # extension registry
        b"Pid\n.",  # persistent id
        b"\x80\x04}]b.",  # build
        b"\x80\x04}]\x81.",  # new object
        b"\x80\x05\x97.",  # buffer
        b"I1\n.",  # a number: plain, and not needed
    ],
    ids=["reduce", "inst", "stack-global", "extension", "persistent", "build", "newobj", "buffer", "number"],
)
def test_every_other_operation_is_refused(tmp_path: Path, program: bytes) -> None:
    path = tmp_path / "data.pickle"
    path.write_bytes(program)

    with pytest.raises(UnsafePickle, match="more than plain data need"):
        read_plain_pickle(path)


@pytest.mark.parametrize(
    "program",
    [
        b"",
        b".",
        b"\x80\x04",
        b"\x80\x09}.",
        b"\x80\x04h\x07.",
        b"\x80\x04(.",
        b"\x80\x04u.",
        b"\x80\x04}}a.",
        b"\x80\x04]]s.",
        b"\x80\x04\x8c\xffab.",
        b"\x80\x04X\xff\xff\xff\xffab.",
        b"\x80\x04\x8c\x02\xff\xfe.",
        b"\x80\x04}(]\x8c\x01au.",
        b"\x80\x04}}.",
        b"\x80\x04](0e.",
    ],
)
def test_damage_is_a_sentence_and_nothing_else(tmp_path: Path, program: bytes) -> None:
    path = tmp_path / "data.pickle"
    path.write_bytes(program)

    with pytest.raises(UnsafePickle, match=r"data\.pickle is"):
        read_plain_pickle(path)


@given(position=st.integers(0, 10_000), value=st.integers(0, 255))
def test_any_changed_byte_is_read_or_refused(
    position: int, value: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = bytearray(pickle.dumps({f"w{n}": [[f"S{n % 7}", "T"]] for n in range(40)}))
    data[position % len(data)] = value
    path = tmp_path_factory.getbasetemp() / "changed.pickle"
    path.write_bytes(data)

    with contextlib.suppress(UnsafePickle):  # any other exception fails the test
        read_plain_pickle(path)


def test_a_high_memo_index_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "data.pickle"
    path.write_bytes(b"\x80\x04}r\xff\xff\xff\xff.")  # Python's C reader allocates 64 GiB here

    assert read_plain_pickle(path) == {}


def test_a_file_too_large_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "data.pickle"
    with path.open("wb") as file:
        file.truncate(65 * 2**20)

    with pytest.raises(UnsafePickle, match="larger than 64 MB"):
        read_plain_pickle(path)
