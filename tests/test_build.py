"""The build hook: kernels where there is a compiler, a package without them where there is none."""

from __future__ import annotations

import ctypes
import importlib.util
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from vivavoce.engines.genie import kernels

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def hook() -> Any:
    """The module hatch_build.py."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of the C sources."""
    folder = tmp_path / "kernels"
    ignore = shutil.ignore_patterns("*.so", "*.py", "__pycache__")
    shutil.copytree(Path(kernels.__file__).parent, folder, ignore=ignore)
    return folder


def test_what_is_compiled_can_be_loaded(hook: Any, sources: Path) -> None:
    target = sources / "_kernels.so"
    assert hook.compile_kernels(target) is None
    assert ctypes.CDLL(str(target)).decode_step_is_supported() in (0, 1)
    assert list(sources.glob("*.so")) == [target]
    assert target.stat().st_mode & 0o555 == 0o555


def test_environments_are_installed_side_by_side(hook: Any, sources: Path) -> None:
    """Several editable installs of one checkout compile into one folder at once."""
    target = sources / "_kernels.so"
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(hook.compile_kernels, [target] * 8)) == [None] * 8
    assert ctypes.CDLL(str(target)).decode_step_is_supported() in (0, 1)
    assert list(sources.glob("*.so")) == [target]


def test_the_installed_package_has_its_kernels(hook: Any) -> None:
    """Or every test of a kernel would be skipped in silence."""
    if not any(shutil.which(name) for name in hook.compilers()):
        pytest.skip("there is no C compiler here")
    assert kernels.library() is not None


def test_warnings_of_the_compiler_are_faults(hook: Any, sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook, "FLAGS", (*hook.FLAGS, "-Wall", "-Wextra", "-Werror"))
    assert hook.compile_kernels(sources / "_kernels.so") is None


def test_without_a_compiler_there_is_a_reason(hook: Any, sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook, "compilers", lambda: ["no-such-compiler"])
    assert hook.compile_kernels(sources / "_kernels.so") == "no C compiler"
    assert not (sources / "_kernels.so").exists()


def test_a_source_that_does_not_compile_leaves_nothing(hook: Any, sources: Path) -> None:
    (sources / "team.c").write_text("this is not C")
    assert "error" in hook.compile_kernels(sources / "_kernels.so")
    assert not [path for path in sources.iterdir() if path.suffix == ".so"]


def test_the_sources_are_in_the_place_the_hook_looks_at(hook: Any) -> None:
    assert (ROOT / hook.KERNELS).resolve() == Path(kernels.__file__).parent


def test_without_the_file_there_is_no_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "LIBRARY", tmp_path / "_kernels.so")
    assert kernels.library.__wrapped__() is None
    (tmp_path / "_kernels.so").write_bytes(b"not a library")
    assert kernels.library.__wrapped__() is None


def test_nothing_in_the_sources_is_named_like_its_type(sources: Path) -> None:
    """`progress progress;`: what stands behind it can no longer name the type, and a reader no longer either."""
    twice = re.compile(r"\b([a-z_]\w*) \**\1\b *[;,=)\[]")
    found = [f"{path.name}: {match[0]}" for path in sources.iterdir() for match in twice.finditer(path.read_text())]
    assert not found
    assert twice.search("    signals *signals;")
