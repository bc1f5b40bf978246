"""Compiles the native kernels while the package is installed or a wheel is built.

Not having them costs speed, not function: without a C compiler the package installs all the same, and ONNX Runtime
does their work.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
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
    building = target.with_suffix(".building")
    sources = sorted(str(path) for path in target.parent.glob("*.c"))
    done = subprocess.run([compiler, *FLAGS, *sources, "-o", str(building), "-lm"], capture_output=True, text=True)
    if done.returncode:
        building.unlink(missing_ok=True)
        return f"{compiler}: {done.stderr.strip()[-500:]}"
    building.replace(target)  # at once: a running server keeps the old one
    return None


def compilers() -> list[str]:
    """Commands to try, the one of the environment first."""
    chosen = os.environ.get("CC", "").split()[:1]
    return [*chosen, *(sysconfig.get_config_var("CC") or "").split()[:1], "cc", "gcc", "clang"]
