"""The README's lines for a browser, in a page of another site, as a reader would try them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from live_server import live_server
from vivavoce.config import VoiceSettings
from vivavoce.engines.embedded import open_engine
from web_site import site

ROOT = Path(__file__).resolve().parents[2]


def test_the_readme_lines_speak_in_a_page_of_another_site(tmp_path: Path) -> None:
    found = re.search(r"```html\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    with (
        site(tmp_path) as origin,
        live_server([open_engine(VoiceSettings())], cors=True, allowed_origins=(origin,)) as server,
    ):
        lines = found[1].replace("127.0.0.1:7860", f"127.0.0.1:{server.port}")
        (tmp_path / "index.html").write_text(f'<!doctype html><link rel="icon" href="data:,">{lines}', encoding="utf-8")
        script = str(Path(__file__).with_name("readme.mjs"))
        done = subprocess.run(["node", script, origin], capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["complaints"] == []
    assert seen["status"] == "completed"
    assert seen["bytes"] > 24_000
