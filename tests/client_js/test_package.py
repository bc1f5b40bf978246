"""The npm package as it would be published. `make check` and `make test` run its own checks and tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

CLIENT = Path(__file__).resolve().parents[2] / "client_js"


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    if shutil.which("npm") is None:
        pytest.fail("npm is missing: install the Debian packages nodejs and npm")
    if not (CLIENT / "node_modules" / "typescript").is_dir():
        pytest.fail("the development packages are missing: run `npm ci` in client_js")


def npm(*arguments: str) -> str:
    """Output of an npm script that ended well."""
    env = {**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "0"}
    done = subprocess.run(["npm", *arguments], cwd=CLIENT, env=env, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def test_the_package_holds_the_sources_and_their_types_and_nothing_else() -> None:
    (package,) = json.loads(npm("pack", "--dry-run", "--json"))
    names = {file["path"] for file in package["files"]}
    assert {
        "src/index.js",
        "src/sound/worklets/player_worklet.js",
        "types/index.d.ts",
        "package.json",
        "LICENSE",
    } <= names
    assert all(name.startswith(("src/", "types/")) or "/" not in name for name in names)


def test_there_are_no_runtime_dependencies_and_no_download_addresses() -> None:
    assert "dependencies" not in json.loads((CLIENT / "package.json").read_text())
    assert '"resolved"' not in (CLIENT / "package-lock.json").read_text()
