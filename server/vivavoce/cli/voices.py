"""`vivavoce voices`: the flags and the help of its subcommands; `voices_actions.py` holds what they do."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from vivavoce import settings
from vivavoce.voices.pull import CHARACTERS, GENIE_DATA, REPOSITORY, REVISION

EXAMPLES = """\
examples:
  vivavoce voices list                              what is here, and what is wrong with it
  vivavoce voices pull mika                         a published voice, and what all of them share
  vivavoce voices add ~/converted/anna --audio anna.wav --text "What anna.wav says."
  vivavoce voices convert --ckpt anna-e15.ckpt --pth anna_e8_s200.pth ~/converted/anna
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
  vivavoce voices add ~/converted/anna --audio anna.wav --text "What anna.wav says." --language en
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
  vivavoce voices convert --ckpt anna-e15.ckpt --pth anna_e8_s200.pth ~/converted/anna
  vivavoce voices convert --ckpt a.ckpt --pth a.pth ~/converted/anna --add anna --audio anna.wav --text "What it says."
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

    listing = _action(actions, "list", "what is here, and what is wrong with it")
    listing.add_argument("--json", action="store_true", help="one JSON array on standard output")

    adding = _action(actions, "add", "copy a folder or zip into the voice folder", ADD_HELP)
    adding.add_argument("source", type=Path, metavar="DIR|ZIP")
    adding.add_argument("--name", help="what it is called (default: the folder's name)")
    adding.add_argument("--replace", action="store_true", help="take the place of a voice of that name")
    _reference_flags(adding, required=False)

    pulling = _action(actions, "pull", "download a published voice, or repair it", PULL_HELP)
    known = (*CHARACTERS, GENIE_DATA)
    pulling.add_argument("names", nargs="+", metavar="NAME", choices=known, help=", ".join(known))
    pulling.add_argument("--revision", default=REVISION, help="commit, tag or branch (default: %(default)s)")
    pulling.add_argument("--repository", default=REPOSITORY, help="default: %(default)s")

    preparing = _action(actions, "prepare", "compile voices now instead of at their first use")
    preparing.add_argument("names", nargs="*", metavar="NAME", help="default: all")

    converting = _action(actions, "convert", "GPT-SoVITS checkpoints to a voice", CONVERT_HELP)
    converting.add_argument("--ckpt", type=Path, required=True, metavar="FILE", help="GPT weights")
    converting.add_argument("--pth", type=Path, required=True, metavar="FILE", help="SoVITS weights")
    converting.add_argument("out", type=Path, metavar="OUT", help="new folder for the converted files")
    converting.add_argument("--add", dest="name", metavar="NAME", help="add it to the voice folder at once")
    _reference_flags(converting, required=False)

    cloning = _action(actions, "clone", "a new reference on the weights of another voice", CLONE_HELP)
    cloning.add_argument("name", metavar="NAME")
    cloning.add_argument("--base", required=True, metavar="VOICE", help="whose weights to speak with")
    cloning.add_argument("--replace", action="store_true", help="take the place of a voice of that name")
    _reference_flags(cloning, required=True)

    checking = _action(actions, "check", "compare files with checksums, speak and measure", CHECK_HELP)
    checking.add_argument("name", metavar="NAME")
    checking.add_argument("--text", help="what to say (default: a sentence in the voice's language)")
    checking.add_argument("--files-only", action="store_true", help="compare files, do not speak")
    checking.add_argument("--trust", action="store_true", help="take the files as they are now for right")

    removing = _action(actions, "remove", "delete a voice from disk")
    removing.add_argument("names", nargs="+", metavar="NAME")


def run(args: argparse.Namespace) -> int:
    """Run the subcommand; its exit status."""
    from vivavoce.cli.voices_actions import ACTIONS

    return ACTIONS[args.action](args, settings.load(flags={"voices": args.voices}))


def _action(actions: Any, name: str, summary: str, description: str | None = None) -> Any:
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
    parser.set_defaults(action=name)
    return parser


def _reference_flags(parser: Any, *, required: bool) -> None:
    parser.add_argument("--audio", type=Path, required=required, metavar="FILE", help="reference clip, 3 to 10 seconds")
    parser.add_argument("--text", required=required, help="what is said in the clip")
    parser.add_argument("--language", choices=("en", "ja", "ko", "zh"), help="of the clip (default: by its script)")
