"""`vivavoce voices`: the voices on this machine, from the first download to the last check.

Every subcommand is a thin layer over `vivavoce.voices`; none of them needs a running server, and a running server sees
what they did at its next listing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from vivavoce import config as settings
from vivavoce.cli_progress import ProgressBar
from vivavoce.config import Config
from vivavoce.errors import ConfigError, VoicePackError
from vivavoce.voices import VoicePack, open_store
from vivavoce.voices.clip import decode_clip, require_reference
from vivavoce.voices.install import NewReference, add, clone, remove
from vivavoce.voices.pull import CHARACTERS, GENIE_DATA, REPOSITORY, REVISION, pull_genie_data, pull_voice

EXAMPLES = """\
examples:
  vivavoce voices list                              what is here, and what is wrong with it
  vivavoce voices pull mika                         a published voice, and what all of them share
  vivavoce voices add ~/models/anna --audio anna.wav --text "What anna.wav says."
  vivavoce voices convert --ckpt anna-e15.ckpt --pth anna_e8_s200.pth ~/models/anna
  vivavoce voices clone anna-sad --base anna --audio sad.wav --text "What sad.wav says."
  vivavoce voices check anna                        speak a sentence and measure it
`vivavoce voices COMMAND --help` tells more about each.
"""

ADD_HELP = """\
Copies a voice into the voice folder, all of it or nothing. DIR or ZIP has one of three shapes:

  a bare folder of Genie's files (t2s_*.onnx, vits_*.onnx, *.bin); give it a reference with --audio and --text
  tts_models/ with prompt_wav.json and prompt_wav/      several named references
  tts_models/ with reference/audio.wav and reference/config.json

examples:
  vivavoce voices add ~/Genie/CharacterModels/v2ProPlus/mika
  vivavoce voices add anna.zip --name anna
  vivavoce voices add ~/models/anna --audio anna.wav --text "What anna.wav says." --language en
"""

PULL_HELP = f"""\
Downloads published voices ({", ".join(CHARACTERS)}) and {GENIE_DATA}, the models and dictionaries that all voices share
(about 0.4 GB, fetched with the first voice). A voice has about 0.34 GB. An interrupted download goes on where it
stopped; a damaged voice is repaired by pulling it again. HF_ENDPOINT, HF_TOKEN and proxies are honoured.

examples:
  vivavoce voices pull mika
  vivavoce voices pull {GENIE_DATA}
  HF_ENDPOINT=https://hub.example.org vivavoce voices pull thirtyseven
"""

CONVERT_HELP = """\
Converts a pair of GPT-SoVITS checkpoints (v2 or v2ProPlus) to the files this server speaks with. It runs in a process
of its own and needs torch: pip install 'vivavoce[convert]'. Checkpoints are opened with weights_only=True; one that
asks for anything else is refused.

examples:
  vivavoce voices convert --ckpt anna-e15.ckpt --pth anna_e8_s200.pth ~/models/anna
  vivavoce voices convert --ckpt a.ckpt --pth a.pth ~/models/anna --add anna --audio anna.wav --text "What it says."
"""

CLONE_HELP = """\
Makes a voice that speaks with the weights of another and its own reference clip of 3 to 10 seconds. It takes as much
disk as the clip.

example:
  vivavoce voices clone anna-sad --base anna --audio sad.wav --text "What sad.wav says." --language en
"""

CHECK_HELP = """\
Compares every file with its checksum, then speaks a sentence streamed and in one piece and prints what came of it.

examples:
  vivavoce voices check anna
  vivavoce voices check anna --files-only
  vivavoce voices check anna --trust          the files were changed on purpose: take them as they are
"""


def add_parser(commands: Any) -> None:
    """Add the command and its subcommands."""
    parser = commands.add_parser(
        "voices",
        help="list, add, pull, convert, clone, check and remove voices",
        description="The voices on this machine.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    actions = parser.add_subparsers(metavar="COMMAND", required=True)

    listing = _action(actions, "list", _list, "what is here, and what is wrong with it")
    listing.add_argument("--json", action="store_true", help="one JSON array on standard output")

    adding = _action(actions, "add", _add, "copy a folder or zip into the voice folder", ADD_HELP)
    adding.add_argument("source", type=Path, metavar="DIR|ZIP")
    adding.add_argument("--name", help="what it is called (default: the folder's name)")
    adding.add_argument("--replace", action="store_true", help="take the place of a voice of that name")
    _reference_flags(adding, required=False)

    pulling = _action(actions, "pull", _pull, "download a published voice, or repair it", PULL_HELP)
    known = (*CHARACTERS, GENIE_DATA)
    pulling.add_argument("names", nargs="+", metavar="NAME", choices=known, help=", ".join(known))
    pulling.add_argument("--revision", default=REVISION, help="commit, tag or branch (default: %(default)s)")
    pulling.add_argument("--repository", default=REPOSITORY, help="default: %(default)s")

    preparing = _action(actions, "prepare", _prepare, "compile voices now instead of at their first use")
    preparing.add_argument("names", nargs="*", metavar="NAME", help="default: all")

    converting = _action(actions, "convert", _convert, "GPT-SoVITS checkpoints to a voice", CONVERT_HELP)
    converting.add_argument("--ckpt", type=Path, required=True, metavar="FILE", help="GPT weights")
    converting.add_argument("--pth", type=Path, required=True, metavar="FILE", help="SoVITS weights")
    converting.add_argument("out", type=Path, metavar="OUT", help="new folder for the converted files")
    converting.add_argument("--add", dest="name", metavar="NAME", help="add it to the voice folder at once")
    _reference_flags(converting, required=False)

    cloning = _action(actions, "clone", _clone, "a new reference on the weights of another voice", CLONE_HELP)
    cloning.add_argument("name", metavar="NAME")
    cloning.add_argument("--base", required=True, metavar="VOICE", help="whose weights to speak with")
    cloning.add_argument("--replace", action="store_true", help="take the place of a voice of that name")
    _reference_flags(cloning, required=True)

    checking = _action(actions, "check", _check, "compare files with checksums, speak and measure", CHECK_HELP)
    checking.add_argument("name", metavar="NAME")
    checking.add_argument("--text", help="what to say (default: a sentence in the voice's language)")
    checking.add_argument("--files-only", action="store_true", help="compare files, do not speak")
    checking.add_argument("--trust", action="store_true", help="take the files as they are now for right")

    removing = _action(actions, "remove", _remove, "delete a voice from disk")
    removing.add_argument("names", nargs="+", metavar="NAME")


def run(args: argparse.Namespace) -> int:
    """Run the subcommand; its exit status."""
    status: int = args.act(args, settings.load(flags={"voices": args.voices}))
    return status


def _action(actions: Any, name: str, act: Any, summary: str, description: str | None = None) -> Any:
    parser = actions.add_parser(
        name,
        help=summary,
        description=description or summary[0].upper() + summary[1:] + ".",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--voices",
        metavar="DIR",
        type=lambda text: settings.parse("voices", text, source="--voices"),
        help="folder of voices to work on, before the others",
    )
    parser.set_defaults(act=act)
    return parser


def _reference_flags(parser: Any, *, required: bool) -> None:
    parser.add_argument("--audio", type=Path, required=required, metavar="FILE", help="reference clip, 3 to 10 seconds")
    parser.add_argument("--text", required=required, help="what is said in the clip")
    parser.add_argument("--language", choices=("en", "ja", "ko", "zh"), help="of the clip (default: by its script)")


# -- the subcommands ---------------------------------------------------------------------------------------------


def _list(args: argparse.Namespace, config: Config) -> int:
    packs = open_store(config).list()
    if args.json:
        print(json.dumps([_as_json(pack) for pack in packs], ensure_ascii=False, indent=1))
        return 0
    if not packs:
        print("No GPT-SoVITS voices here. Get one: vivavoce voices pull mika   or: vivavoce voices add DIR")
        return 0
    rows = [("VOICE", "LANGUAGE", "VERSION", "SIZE", "REFERENCES", "STATE")]
    rows += [
        (pack.id, pack.language, pack.version, _size(pack), ", ".join(pack.references) or "-", pack.problem or "ready")
        for pack in packs
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)).rstrip())
    return 0


def _add(args: argparse.Namespace, config: Config) -> int:
    if not args.source.exists():
        raise VoicePackError(f"there is no '{args.source}'")
    with ProgressBar("adding") as progress:
        pack = add(
            open_store(config),
            args.source,
            name=args.name,
            reference=_reference(args),
            overwrite=args.replace,
            progress=progress,
        )
    _announce(pack)
    return 0


def _pull(args: argparse.Namespace, config: Config) -> int:
    from vivavoce.engines.genie.genie_data import GenieData
    from vivavoce.voices.hub import Hub

    hub = Hub(args.repository, args.revision).pinned()
    data = _genie_data(config)
    shared_missing = not GenieData(data).hubert.is_file()
    if GENIE_DATA in args.names or shared_missing:
        with ProgressBar(GENIE_DATA) as progress:
            fetched = pull_genie_data(hub, data, progress)
        print(f"GenieData is complete in {data} ({fetched} files fetched)")
    for name in dict.fromkeys(name for name in args.names if name != GENIE_DATA):
        with ProgressBar(name) as progress:
            pack, fetched = pull_voice(hub, name, open_store(config), progress)
        print(f"{fetched} files fetched, all checksums are right" if fetched else "nothing to do: every file is right")
        _announce(pack)
    return 0


def _prepare(args: argparse.Namespace, config: Config) -> int:
    from vivavoce.cli_voices_check import open_genie

    engine = open_genie(config)
    names = args.names or [info.id for info in engine.voices() if info.problem is None]
    for name in names:
        with ProgressBar(f"preparing {name}") as progress:
            engine.unload_voice(engine.load_voice(name, progress))
        print(f"{name} is prepared")
    return 0


def _convert(args: argparse.Namespace, config: Config) -> int:
    from vivavoce.voices.convert import convert

    reference = _reference(args)  # a wrong clip is told before minutes of work
    with ProgressBar("converting") as progress:
        version = convert(args.ckpt, args.pth, args.out, progress)
    print(f"{args.out} holds a {version} voice")
    if args.name is None:
        print(f"Next: vivavoce voices add {args.out} --audio CLIP --text 'what the clip says'")
        return 0
    _announce(add(open_store(config), args.out, name=args.name, reference=reference))
    return 0


def _clone(args: argparse.Namespace, config: Config) -> int:
    reference = _reference(args)
    if reference is None:
        raise ConfigError("clone needs --audio and --text")
    _announce(clone(open_store(config), args.name, args.base, reference, overwrite=args.replace))
    return 0


def _check(args: argparse.Namespace, config: Config) -> int:
    store = open_store(config)
    pack = store.verified(args.name, thorough=True, trust=args.trust)
    print(f"{pack.id}: {len(pack.files)} files, every checksum is right")
    if not args.files_only:
        from vivavoce.cli_voices_check import speak_and_measure

        speak_and_measure(config, pack, args.text)
    return 0


def _remove(args: argparse.Namespace, config: Config) -> int:
    store = open_store(config)
    for name in args.names:
        remove(store, name)
        print(f"{name} is removed")
    return 0


# -- their parts -------------------------------------------------------------------------------------------------


def _reference(args: argparse.Namespace) -> NewReference | None:
    if args.audio is None and args.text is None:
        return None
    if args.audio is None or args.text is None:
        raise ConfigError("--audio and --text go together: the clip and what is said in it")
    if not args.audio.is_file():
        raise ConfigError(f"--audio: there is no file '{args.audio}'")
    clip = decode_clip(args.audio)
    require_reference(clip)
    return NewReference(clip, args.text, args.language)


def _genie_data(config: Config) -> Path:
    """Where GenieData goes: where the engine looks for it."""
    return Path(named).expanduser() if (named := os.environ.get("GENIE_DATA_DIR")) else config.data_dir / "GenieData"


def _announce(pack: VoicePack) -> None:
    print(f"voice '{pack.id}' ({pack.version}, {pack.language}, {_size(pack)}) is in {pack.path}")
    print(f"Try: vivavoce say --voice {pack.id} '...'", file=sys.stderr)


def _size(pack: VoicePack) -> str:
    return f"{pack.size / 1e6:.1f} MB" if pack.base is None else f"{pack.size / 1e6:.1f} MB on {pack.base}"


def _as_json(pack: VoicePack) -> dict[str, object]:
    return {
        "id": pack.id,
        "name": pack.name,
        "language": pack.language,
        "version": pack.version,
        "base": pack.base,
        "references": list(pack.references),
        "size": pack.size,
        "path": str(pack.path),
        "preload": pack.preload,
        "problem": pack.problem,
    }
