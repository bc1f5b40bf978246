"""`vivavoce serve`: the server, with a flag for every setting."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import sys
from pathlib import Path
from typing import Any

import uvicorn

from vivavoce import settings
from vivavoce.app.server import Server, build_server
from vivavoce.config import FIELDS, SECTIONS, Config
from vivavoce.logs import configure_logging
from vivavoce.machine.heap import share_heaps
from vivavoce.serving.uvicorn_server import DrainingServer, uvicorn_options

EXAMPLES = """\
examples:
  vivavoce serve                                   http://127.0.0.1:7860, the voices of ./voices and the embedded one
  vivavoce serve --port 8000 --voices ~/voices     your own folder of voice packs
  VIVAVOCE_API_KEYS=$(openssl rand -hex 16) vivavoce serve --host 0.0.0.0
                                                   reachable from other machines, with a key

Each setting may also stand in vivavoce.toml or in the environment (VIVAVOCE_PORT=8000);
docs/settings.md lists them all.
"""


def add_parser(commands: Any) -> None:
    """Add the command with one flag a setting."""
    parser = commands.add_parser(
        "serve",
        help="start the server",
        description="Start the server.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="TOML file of settings (default: vivavoce.toml, if there)"
    )
    add_settings(parser)
    parser.set_defaults(run=run)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """A flag for every setting, in the sections of the Config."""
    for section, kind in SECTIONS.items():
        group = parser.add_argument_group(section)
        for entry in dataclasses.fields(kind):
            if not entry.metadata["secret"]:  # a flag would show it to everybody who lists processes
                _add_flag(group, entry)


def _add_flag(group: argparse._ArgumentGroup, entry: dataclasses.Field[Any]) -> None:
    flag = "--" + entry.name.replace("_", "-")
    default = "" if entry.default in (None, ()) else f" (default: {shown(entry.default)})"
    help_text = (entry.metadata["help"] + default).replace("%", "%%")
    if settings.is_flag(entry.name):
        group.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=help_text)
        return
    words = settings.choices(entry.name) or ()
    metavar = "|".join(words) or entry.name.rpartition("_")[2].upper()
    group.add_argument(flag, type=_reader(entry.name), metavar=metavar, help=help_text)


def shown(value: Any) -> str:
    """A default as a user would write it."""
    if isinstance(value, tuple):
        return ",".join(str(v) for v in value)
    text = str(value)
    return text.replace(str(Path.home()), "~", 1) if isinstance(value, Path) else text


def config_from(args: argparse.Namespace) -> Config:
    """The Config of file, environment and the flags given."""
    flags = {name: getattr(args, name, None) for name in FIELDS}
    return settings.load(file=getattr(args, "config", None), flags=flags)


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop. Returns the exit status."""
    share_heaps()
    config = config_from(args)
    configure_logging(config.logs.log_level, config.logs.log_format)
    server = build_server(config, progress=_show_progress)
    uvicorn_config = uvicorn.Config(
        server.app,
        host=config.server.host,
        port=config.server.port,
        **uvicorn_options(),
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    uvicorn_server = DrainingServer(
        uvicorn_config,
        drain=server.drain,
        started_with=lambda port: _greet(server, port),
        drain_within_s=config.limits.drain_timeout_s,
    )
    asyncio.run(uvicorn_server.serve())
    return 0 if uvicorn_server.started else 3


def _greet(server: Server, port: int) -> None:
    """Tell where it listens and what to type next."""
    listens_on = server.config.server.host
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(listens_on, listens_on)
    base = f"http://{host}:{port}"
    key = " -H 'Authorization: Bearer YOUR_KEY'" if server.access.needs_key else ""
    voices = server.synthesizer.voices()
    names = ", ".join(v.id for v in voices if v.problem is None) or "none"
    lines = [
        f"Viva Voce listens on {base}",
        f"  page and API    {base}/   {base}/docs",
        f"  voices          {names}",
        *(f"  not available   {v.id}: {v.problem}" for v in voices if v.problem is not None),
        *_access_note(server),
        "  try it",
        f"    curl {base}/v1/audio/speech{key} -H 'Content-Type: application/json' \\",
        '         -d \'{"input": "Hello! You hear me while I am still being computed."}\' -o hello.mp3',
    ]
    print("\n".join(lines), flush=True)


def _show_progress(what: str, fraction: float) -> None:
    """One line that moves on a terminal; a line a stage elsewhere."""
    if sys.stderr.isatty():
        end = "\n" if fraction >= 1 else ""
        print(f"\r\033[K{what} {fraction:4.0%}", end=end, file=sys.stderr, flush=True)
    elif fraction >= 1:
        print(f"{what}: done", file=sys.stderr, flush=True)


def _reader(name: str) -> Any:
    def read(text: str) -> Any:
        return settings.parse(name, text, source="--" + name.replace("_", "-"))

    return read


def _access_note(server: Server) -> list[str]:
    if server.access.needs_key:
        return ["  access          with an API key"]
    return ["  access          anyone who reaches this address"] if server.config.access.allow_anonymous else []
