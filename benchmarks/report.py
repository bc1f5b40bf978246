"""How a benchmark tells its result: the machine, a table, and one JSON object as the last line."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = ("vivavoce", "onnxruntime", "numpy")

Row = Mapping[str, Any]


def spread(values: Sequence[float], *, scale: float = 1.0) -> dict[str, float]:
    """p50, p95 and max of values times `scale`, rounded to 3 digits after the point."""
    scaled = np.asarray(values, np.float64) * scale
    if not len(scaled):
        return {"p50": 0.0, "p95": 0.0, "max": 0.0}
    p50, p95 = np.percentile(scaled, [50, 95])
    return {name: round(float(value), 3) for name, value in (("p50", p50), ("p95", p95), ("max", scaled.max()))}


def print_report(benchmark: str, what: str, rows: Sequence[Row], **facts: Any) -> None:
    """Print the machine, what was measured, the rows as a table and everything as one JSON line.

    Args:
        benchmark: its name.
        what: one sentence for the reader of the table.
        rows: one mapping a line, all with the same keys in the same order.
        facts: what else belongs into the JSON object, such as the voice.
    """
    hardware = describe_hardware()
    print(f"{benchmark}: {what}")
    print(f"{hardware['cpu']}, {hardware['cores']} cores, {hardware['memory_gib']} GiB, {hardware['software']}")
    print(f"other programs kept {hardware['busy_with_others']:.0%} of the processor busy afterwards\n")
    print(format_table(rows))
    print()
    print(json.dumps({"benchmark": benchmark, **facts, "hardware": hardware, "rows": list(rows)}))


def format_table(rows: Sequence[Row]) -> str:
    """A table with aligned columns; numbers to the right."""
    head = list(rows[0])
    cells = [[_shown(row[name]) for name in head] for row in rows]
    widths = [max(len(name), *(len(line[i]) for line in cells)) for i, name in enumerate(head)]
    lines = [head, ["-" * width for width in widths], *cells]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def describe_hardware() -> dict[str, Any]:
    """Processor, cores this process may use, memory, versions, and how quiet the machine is without the benchmark."""
    return {
        "cpu": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "busy_with_others": _busy_share(),
        "software": ", ".join([f"Python {platform.python_version()}", *_versions()]),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _busy_share(sample_s: float = 1.0) -> float:
    """Share of all processor time that was not idle during the next second; 0 where nobody can tell."""
    if not Path("/proc/stat").exists():
        return 0.0
    before = _processor_times()
    time.sleep(sample_s)
    total, idle = (after - earlier for after, earlier in zip(_processor_times(), before, strict=True))
    return round(1 - idle / max(total, 1), 2)


def _processor_times() -> tuple[int, int]:
    """All and idle ticks of all cores since the start of the machine, proc(5)."""
    ticks = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(ticks), ticks[3] + ticks[4]


def _versions() -> list[str]:
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return found


def _shown(value: Any) -> str:
    if not isinstance(value, float):
        return "-" if value is None else str(value)
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
