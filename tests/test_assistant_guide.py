"""What the assistant's guide shows is run as it stands, against a real server; only the port is another one."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from live_server import live_server
from vivavoce.assistant.voice_commands import VoiceCommands
from vivavoce.config import VoiceSettings
from vivavoce.engines.embedded import open_engine
from vivavoce.protocols.realtime.client_events import CLIENT_EVENTS
from vivavoce.settings import load

GUIDE = (Path(__file__).parent.parent / "docs" / "assistant.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```(\w+)\n(.*?)```", GUIDE, re.DOTALL))


def test_the_python_lines_hold_a_conversation(tmp_path: Path) -> None:
    with live_server([open_engine(VoiceSettings())], chat_model="none") as server:
        script = BLOCKS["python"].replace("127.0.0.1:7860", f"127.0.0.1:{server.port}")
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 0, done.stderr
    said, called, sound = done.stdout.splitlines()
    assert said == "I set a timer for five minutes."
    assert called == 'set_timer {"seconds": 300}'
    assert int(sound.split()[0]) > 1000


def test_the_commands_are_understood() -> None:
    commands = VoiceCommands(tomllib.loads(BLOCKS["toml"]), "docs/assistant.md")
    call = commands.match("Turn off the light in the kitchen.")
    assert call is not None
    assert (call.function, call.confirmation) == ("switch_light", "The kitchen light is off.")
    assert commands.match("Switch the hall light on.") is not None
    assert commands.match("Switch the attic light on.") is None


def test_the_flags_are_settings() -> None:
    flags = re.findall(r"--([a-z-]+) (\S+)", BLOCKS["sh"])
    settings = load(file=None, environment={}, flags={name.replace("-", "_"): value for name, value in flags})
    assert settings.assistant.chat_url == "http://127.0.0.1:11434/v1"
    assert settings.assistant.chat_model == "qwen3"


def test_every_client_event_is_named() -> None:
    named = set(re.findall(r"`([a-z_.]+)`", GUIDE))
    prefix = ""
    whole = set()
    row = next(line for line in GUIDE.splitlines() if line.startswith("| client events"))
    for name in re.findall(r"`([a-z_.]+)`", row):
        prefix = prefix if name.startswith(".") else name.rpartition(".")[0]
        whole.add(prefix + name if name.startswith(".") else name)
    assert named
    assert whole - {"error"} == set(CLIENT_EVENTS)
