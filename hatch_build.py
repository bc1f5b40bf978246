"""Compiles the native kernels while the package is installed or a wheel is built.

Not having them costs speed, not function: without a C compiler the package installs all the same, and ONNX Runtime
does their work.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

KERNELS = Path("server/vivavoce/engines/genie/kernels")
FLAGS = ("-std=gnu11", "-O3", "-shared", "-fPIC", "-pthread")


class KernelHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds `_kernels.so` to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects the files."""
        target = Path(self.root) / KERNELS / "_kernels.so"
        problem = compile_kernels(target)
        if problem is not None:
            self.app.display_warning(f"native kernels are left out ({problem}); speech costs more without them")
            return
        build_data["artifacts"].append(str(KERNELS / target.name))
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"  # ctypes loads it: any Python of this platform


def compile_kernels(target: Path) -> str | None:
    """Compile the sources beside `target`. Returns why that could not be done, else None."""
    compiler = next((found for name in compilers() if (found := shutil.which(name))), None)
    if compiler is None:
        return "no C compiler"
    sources = sorted(str(path) for path in target.parent.glob("*.c"))
    # A name of its own: several environments may be installed from one checkout at once. It ends in .so, which
    # .gitignore lists, so that a wheel that is packed meanwhile leaves it out.
    descriptor, name = tempfile.mkstemp(prefix="_kernels.", suffix=".so", dir=target.parent)
    os.close(descriptor)
    building = Path(name)
    try:
        done = subprocess.run([compiler, *FLAGS, *sources, "-o", name, "-lm"], capture_output=True, text=True)
        if done.returncode:
            return f"{compiler}: {done.stderr.strip()[-500:]}"
        building.chmod(0o755)  # a temporary file is its owner's alone
        building.replace(target)  # at once: a running server keeps the old one
    finally:
        building.unlink(missing_ok=True)
    return None


def compilers() -> list[str]:
    """Commands to try, the one of the environment first."""
    chosen = os.environ.get("CC", "").split()[:1]
    return [*chosen, *(sysconfig.get_config_var("CC") or "").split()[:1], "cc", "gcc", "clang"]
