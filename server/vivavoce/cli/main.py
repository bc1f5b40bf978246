"""The command `vivavoce`: one parser, one file a command.

vivavoce serve                        start the server
vivavoce cluster                      start the server on many machines
vivavoce bench                        measure what this machine carries
vivavoce say TEXT                     speak, without a server
vivavoce voices list|add|pull|...     voices on this machine
vivavoce space DIR --voice NAME       a folder that becomes a Hugging Face Space
vivavoce hosted text-to-audio|image-to-text   models on other machines
vivavoce transcribe FILE|- [--live]    write down what is said, without a server
vivavoce models list|pull|...         recognition models on this machine
vivavoce doctor                       what is installed, what is missing
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from vivavoce import __version__
from vivavoce.errors import VivaVoceError

EXIT_ERROR = 3  # a clear sentence was printed; 2 is argparse's, 130 an interrupt's

# Command -> its module, imported only when it is needed: `--help` answers at once.
COMMANDS = {
    "serve": ("vivavoce.cli.serve", "start the server"),
    "cluster": ("vivavoce.cli.cluster", "start the server on many machines (Ray Serve)"),
    "bench": ("vivavoce.cli.bench", "measure how many listeners this machine carries"),
    "say": ("vivavoce.cli.say", "speak a text, without a server"),
    "voices": ("vivavoce.cli.voices", "list, add, pull, convert, clone, check and remove voices"),
    "space": ("vivavoce.cli.space", "write a folder that becomes a Hugging Face Space"),
    "hosted": ("vivavoce.cli.hosted", "call models on other machines: text to audio, image to text"),
    "transcribe": ("vivavoce.cli.transcribe", "write down what is said in a file or into the microphone"),
    "models": ("vivavoce.cli.models", "list, pull, remove and launch recognition models"),
    "doctor": ("vivavoce.cli.doctor", "tell what is installed, what is missing and how to get it"),
}

EXAMPLES = """\
examples:
  vivavoce serve                                  speak on http://127.0.0.1:7860
  vivavoce say "Hello there." -o hello.wav        write a file
  echo "Hello" | vivavoce say -o - --format mp3   write to standard output
  vivavoce transcribe talk.mp3                    write down what is said
  vivavoce voices list                            what can speak here
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command; exits with its status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    chosen = next((a for a in arguments if not a.startswith("-")), None)
    parser = _parser(chosen if chosen in COMMANDS else None)
    try:
        args = parser.parse_args(arguments)
        sys.exit(args.run(args))
    except VivaVoceError as error:
        print(f"vivavoce: {error}", file=sys.stderr)
        sys.exit(EXIT_ERROR)
    except KeyboardInterrupt:
        sys.exit(130)


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    """The whole parser, with the flags of the chosen command only."""
    parser = argparse.ArgumentParser(
        prog="vivavoce",
        description="Real-time voice server: speech is heard while it is still being computed.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"vivavoce {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (module, summary) in COMMANDS.items():
        if name == chosen:
            importlib.import_module(module).add_parser(commands)
        else:
            commands.add_parser(name, help=summary, add_help=False)
    return parser
