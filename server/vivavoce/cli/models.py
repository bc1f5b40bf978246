"""`vivavoce models`: the recognition models on this machine, and those that can be had by name."""

from __future__ import annotations

import argparse
import json
from typing import Any

from vivavoce.cli.progress import ProgressBar
from vivavoce.config import Config
from vivavoce.models.catalogue import CATALOGUE
from vivavoce.models.shelf import ModelShelf, ShelvedModel
from vivavoce.settings import load

EXAMPLES = """\
examples:
  vivavoce models list                           what is here, and what can be pulled
  vivavoce models pull whisper-small             a model of the list, pinned to its revision
  vivavoce models pull OWNER/REPOSITORY          any whisper model of the hub; converted if need be
  vivavoce models remove whisper-small
  vivavoce models launch whisper-small           load it on the server that is running
`vivavoce models COMMAND --help` tells more about each.
"""

PULL_HELP = f"""\
Downloads recognition models: {", ".join(CATALOGUE)},
or any repository of a whisper model. What exists only as safetensors or as a pickle is converted here, without torch;
pickles are read by a reader that imports and runs nothing. An interrupted download goes on where it stopped; a damaged
model is repaired by pulling it again. HF_ENDPOINT, HF_TOKEN and proxies are honoured.
"""

LAUNCH_HELP = """\
Asks a running server to load a model or a voice, so that nobody waits for it at the first request. It has to be on that
machine already; nothing is downloaded. An API key is taken from the settings (VIVAVOCE_API_KEYS).
"""


def add_parser(commands: Any) -> None:
    """Add the command and its subcommands."""
    parser = commands.add_parser(
        "models",
        help="list, pull, remove and launch recognition models",
        description="The recognition models on this machine.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    actions = parser.add_subparsers(metavar="COMMAND", required=True)

    listing = _action(actions, "list", "what is here, and what can be pulled")
    listing.add_argument("--json", action="store_true", help="one JSON array on standard output")

    pulling = _action(actions, "pull", "download a model, or repair it", PULL_HELP)
    pulling.add_argument("names", nargs="+", metavar="NAME")
    pulling.add_argument("--revision", help="commit, tag or branch (default: the pinned one)")

    removing = _action(actions, "remove", "delete pulled models from disk")
    removing.add_argument("names", nargs="+", metavar="NAME")

    launching = _action(actions, "launch", "load a model or voice on a running server", LAUNCH_HELP)
    launching.add_argument("name", metavar="NAME")
    launching.add_argument("--uid", help="name that it shall go by there (default: its own)")
    launching.add_argument("--url", help="of the server (default: by the settings host and port)")


def run(args: argparse.Namespace) -> int:
    """Run the subcommand; its exit status."""
    config = load()
    shelf = open_shelf(config)
    match args.action:
        case "launch":
            return _launch(args, config)
        case "pull":
            return _pull(args, shelf)
        case "remove":
            for name in args.names:
                shelf.remove(name)
                print(f"{name} is removed")
            return 0
        case _:
            return _list(args, shelf)


def open_shelf(config: Config) -> ModelShelf:
    """The shelf in the data folder of the settings."""
    return ModelShelf(config.voices.data_dir / "models", config.voices.cache_dir / "models")


def _list(args: argparse.Namespace, shelf: ModelShelf) -> int:
    here = {model.id: model for model in shelf.here()}
    if args.json:
        rows = [_as_json(model) for model in here.values()]
        print(json.dumps(rows + [_could_be_pulled(name) for name in CATALOGUE if name not in here], indent=1))
        return 0
    table = [("MODEL", "LANGUAGES", "SIZE", "LICENCE", "STATE")]
    table += [
        (model.id, model.languages, f"{model.mib} MiB", model.licence, model.problem or _where(model))
        for model in here.values()
    ]
    table += [
        (name, known.languages, f"{known.mib} MiB", known.licence, f"vivavoce models pull {name}")
        for name, known in CATALOGUE.items()
        if name not in here
    ]
    widths = [max(len(row[column]) for row in table) for column in range(4)]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)).rstrip())
    return 0


def _pull(args: argparse.Namespace, shelf: ModelShelf) -> int:
    from vivavoce.models.pull import model_to_pull, pull

    for model in [model_to_pull(name, args.revision) for name in dict.fromkeys(args.names)]:
        with ProgressBar(model.name) as progress:
            folder, done = pull(model, shelf, progress)
        print(f"{model.name} ({model.licence}) is in {folder}" if done else f"{model.name} is here and right")
    return 0


def _launch(args: argparse.Namespace, config: Config) -> int:
    from vivavoce.cli.models_launch import RunningServer, launch

    url = args.url or f"http://{config.server.host}:{config.server.port}"
    server = RunningServer(url, next(iter(config.access.api_keys), None))
    with ProgressBar(args.name) as progress:
        uid = launch(server, args.name, args.uid, progress)
    print(f"{args.name} is ready on {url}; ask for it as '{uid}'")
    return 0


def _where(model: ShelvedModel) -> str:
    if model.folder is not None:
        return "ready"
    stated = sorted({licence or "no licence" for licence in model.packages.values()})
    return f"in a package that states {' and '.join(stated)}" if stated else "in a package"


def _as_json(model: ShelvedModel) -> dict[str, Any]:
    return {
        "id": model.id,
        "here": True,
        "languages": model.languages,
        "licence": model.licence,
        "mib": model.mib,
        "packaged": model.folder is None,
        "packages": dict(model.packages),
        "problem": model.problem,
    }


def _could_be_pulled(name: str) -> dict[str, Any]:
    known = CATALOGUE[name]
    return {
        "id": name,
        "here": False,
        "languages": known.languages,
        "licence": known.licence,
        "mib": known.mib,
        "repository": known.repository,
        "revision": known.revision,
    }


def _action(actions: Any, name: str, summary: str, description: str | None = None) -> Any:
    parser = actions.add_parser(
        name,
        help=summary,
        description=description or summary[0].upper() + summary[1:] + ".",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(action=name)
    return parser
