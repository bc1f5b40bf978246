"""Writes `docs/settings.md` from the Config: `make docs`. A test keeps the page and the Config the same."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

from vivavoce import settings
from vivavoce.config import FIELDS, SECTIONS

HEAD = """\
# Settings

Every setting, written once in `config.py` and readable from four places; later wins:
its default, a TOML file (`vivavoce.toml` in the working folder, or `--config FILE`), the environment, a flag.

    port = 8000                          # vivavoce.toml
    VIVAVOCE_PORT=8000 vivavoce serve    # environment
    vivavoce serve --port 8000           # flag

Lists are separated by commas. Secrets have no flag: a flag would show them to everybody who lists processes.
"""

TABLE_HEAD = "| TOML key | environment | flag | default | what it does |\n|---|---|---|---|---|\n"


def page() -> str:
    """The page as Markdown."""
    parts = [HEAD]
    for section, kind in SECTIONS.items():
        title = (kind.__doc__ or section).rstrip(".")
        rows = [_row(each.name) for each in dataclasses.fields(kind)]
        parts.append(f"\n## {title}\n\n{TABLE_HEAD}")
        parts.extend(rows)
    return "".join(parts)


def _row(name: str) -> str:
    entry = FIELDS[name]
    dashed = name.replace("_", "-")
    flag = "—" if entry.metadata["secret"] else f"`--[no-]{dashed}`" if settings.is_flag(name) else f"`--{dashed}`"
    default = _default(entry.default)
    sentence = entry.metadata["help"].replace("|", "\\|")
    words = settings.choices(name)
    if words is not None:
        sentence += f" One of: {', '.join(words)}."
    return f"| `{name}` | `{settings.ENV_PREFIX}{name.upper()}` | {flag} | {default} | {sentence} |\n"


def _default(value: Any) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return f"`{','.join(str(v) for v in value)}`"
    if isinstance(value, Path):
        return "the system's folder for this user"
    return f"`{value}`"


if __name__ == "__main__":
    sys.stdout.write(page())
