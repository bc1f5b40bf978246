"""Folders that are made once: what an engine computes of a model's files, kept in a cache.

A folder appears whole or not at all, whoever is killed or races meanwhile. Its name carries everything it depends on;
where arrangements of weights differ by processor, `processor` is a part of that.
"""

from __future__ import annotations

import json
import logging
import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

logger = logging.getLogger(__name__)

PARTS_FILE = "parts.json"
_ABANDONED_S = 24 * 3600.0


def prepared(cache: Path, name: str, build: Callable[[Path], None]) -> Path:
    """The folder `name` in the cache, built where it is missing or not whole. Two processes may race; one wins.

    Args:
        cache: made when missing.
        name: changes with everything the content depends on.
        build: fills an empty folder.
    """
    target = cache / name
    if _is_whole(target):
        return target
    cache.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    logger.info("preparing %s", name)
    building = Path(tempfile.mkdtemp(prefix=".building-", dir=cache))
    try:
        build(building)
        sizes = {path.name: path.stat().st_size for path in building.iterdir()}
        (building / PARTS_FILE).write_text(json.dumps(sizes))
        building.rename(target)
    except OSError:
        if not _is_whole(target):  # else: another process was first
            raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return target


def sweep(cache: Path) -> None:
    """Remove what a killed process left behind."""
    for folder in cache.glob(".building-*"):
        if time.time() - folder.stat().st_mtime > _ABANDONED_S:
            shutil.rmtree(folder, ignore_errors=True)


def processor() -> str:
    """The processor, as far as the arrangement of weights depends on it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    facts = {line.partition(":")[0].strip(): line.partition(":")[2].strip() for line in lines}
    return f"{platform.machine()} {facts.get('model name', platform.processor())} {facts.get('flags', '')}"


def _is_whole(folder: Path) -> bool:
    """True if every file has the length it was written with."""
    try:
        sizes: dict[str, int] = json.loads((folder / PARTS_FILE).read_text())
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False
