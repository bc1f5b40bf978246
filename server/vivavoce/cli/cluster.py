"""`vivavoce cluster`: the server on many machines, over Ray Serve."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from vivavoce.cli.serve import add_settings, config_from
from vivavoce.config import ClusterSettings
from vivavoce.errors import ConfigError
from vivavoce.logs import configure_logging

EXAMPLES = """\
examples:
  vivavoce cluster --mouths 2                          a Ray of its own on this machine, http://127.0.0.1:7860
  ray start --address HEAD:6379                        on every further machine, to join the first
  vivavoce cluster --address auto --mouths 4 --mouths-max 16 --ears 2 --ears-max 8 --doors 2 --host 0.0.0.0
                                                       run on a Ray that is there, from any of its machines
  vivavoce bench                                       what to put into --mouth-listeners and --ear-listeners

The same application for Ray's own tools:
  serve run vivavoce.adapters.ray_serve.application:build mouths=4
"""


def add_parser(commands: Any) -> None:
    """Add the command: the flags of `serve`, and where Ray is."""
    parser = commands.add_parser(
        "cluster",
        help="start the server on many machines",
        description="Run Doors, which answer clients, Mouths, which speak, and Ears, which listen, on Ray.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--address", metavar="ADDRESS", help="Ray to join: HOST:6379, or auto (default: one is started on this machine)"
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="TOML file of settings (default: vivavoce.toml, if there)"
    )
    add_settings(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run until interrupted, or until the application is deleted. Returns the exit status."""
    config = config_from(args)
    configure_logging(config.logs.log_level, config.logs.log_format)
    try:
        from vivavoce.adapters.ray_serve.running import run_application
    except ImportError as error:
        raise ConfigError(f"the cluster needs its extra: pip install 'vivavoce[cluster]' ({error})") from error
    run_application(
        config, address=args.address, started_with=lambda url: print(greeting(url, config.cluster), flush=True)
    )
    return 0


def greeting(url: str, cluster: ClusterSettings) -> str:
    """What is told when clients may come."""

    def copies(least: int, most: int) -> str:
        return f"{least} to {most}" if most > least else str(least)

    ears = copies(cluster.ears, cluster.ears_max) if cluster.ears else "none: the doors hear for themselves"
    return "\n".join([
        f"Viva Voce listens on {url}",
        f"  doors           {cluster.doors}",
        f"  mouths          {copies(cluster.mouths, cluster.mouths_max)}",
        f"  ears            {ears}",
    ])  # fmt: skip
