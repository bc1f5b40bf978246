"""`vivavoce say`: text to a file, to standard output or to the loudspeaker, straight through the engine."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vivavoce import settings
from vivavoce.app.generator import build_synthesizer
from vivavoce.audio.encoders import FORMATS, AudioEncoder, open_encoder
from vivavoce.cli.output import Output
from vivavoce.config import Config
from vivavoce.engines import speech_options as wish
from vivavoce.engines.speech_options import SpeechOptions
from vivavoce.errors import EmptyInput, UnknownLanguage, UnsupportedFormat
from vivavoce.format_names import format_named
from vivavoce.languages import AUTO, language_code
from vivavoce.logs import configure_logging
from vivavoce.metrics import Metrics
from vivavoce.synthesis.speaker import SpeechRequest
from vivavoce.synthesis.synthesizer import Synthesizer
from vivavoce.synthesis.utterance import Utterance

EXAMPLES = """\
examples:
  vivavoce say "Hello there."                      play it (or write speech.wav where nothing can play)
  vivavoce say "Hello there." -o hello.mp3         the format follows the name
  vivavoce say -o book.opus < book.txt             long text from standard input, with progress
  vivavoce say "Hi" -o - --format pcm | aplay -f S16_LE -r 24000
"""

# Programs that play a WAV stream from standard input, first found wins.
PLAYERS = (
    ("pw-play", "-"),
    ("paplay",),
    ("aplay", "-q", "-"),
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "quiet", "-"),
)
PIECE = 4000  # characters handed to the splitter at once, below every limit of a live session


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "say",
        help="speak a text, without a server",
        description="Speak a text straight through the engine; no server is needed.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("text", nargs="?", help="what to say; standard input where it is absent or `-`")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write; `-` is standard output")
    parser.add_argument("--voice", default="default", help="voice id, or id/Style (default: the first available)")
    parser.add_argument(
        "--format", metavar="|".join(FORMATS), help="audio format (default: by the file's name, else wav)"
    )
    parser.add_argument("--speed", type=_ranged(float, wish.SPEED), default=1.0, help=f"{wish.SPEED}, pitch is kept")
    parser.add_argument(
        "--sample-rate", type=_ranged(int, wish.SAMPLE_RATE), metavar="HZ", help=f"Hz, {wish.SAMPLE_RATE}"
    )
    parser.add_argument("--language", type=_language, default=AUTO, help="auto, en, zh, ja, ko, or a name")
    parser.add_argument("--seed", type=_ranged(int, wish.SEED), help="same seed, same audio")
    parser.add_argument(
        "--voices",
        type=lambda text: settings.parse("voices", text, source="--voices"),
        metavar="DIR",
        help="folder of voice packs",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress, no summary")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Speak. Returns the exit status."""
    config = settings.load(flags={"voices": args.voices, "preload": False})
    configure_logging("warning", "text")
    text = _text(args.text)
    if not text.strip():
        raise EmptyInput
    format_name, output, player = _destination(args.output, args.format and args.format.strip().lower())
    encoder_rate = args.sample_rate
    options = SpeechOptions(language=args.language, speed=args.speed, seed=args.seed)
    request = SpeechRequest(voice=args.voice, options=options, sample_rate=encoder_rate, transport="cli")
    exact = format_name == "wav" and output is not None
    open_output = Output(output, player)
    try:
        asyncio.run(_say(config, request, text, format_name, exact, open_output, quiet=args.quiet))
    except BrokenPipeError:
        return 1
    finally:
        open_output.close()
    return 0


async def _say(
    config: Config, request: SpeechRequest, text: str, format_name: str, exact: bool, output: Output, *, quiet: bool
) -> None:
    synthesizer = build_synthesizer(config, Metrics())
    try:
        await _speak(
            synthesizer, request, text, format_name, exact, output, _progress(len(text)) if not quiet else None
        )
    finally:
        await synthesizer.aclose()


async def _speak(
    synthesizer: Synthesizer,
    request: SpeechRequest,
    text: str,
    format_name: str,
    exact: bool,
    output: Output,
    progress: Callable[[int, float], None] | None,
) -> None:
    """Write the text as fast as it is spoken, and the audio as it comes."""
    started_s = time.monotonic()
    encoder: AudioEncoder | None = None
    if len(text) <= synthesizer.limits.max_text:  # refused as a whole where a part cannot be spoken
        request = dataclasses.replace(request, text=text)
    async with synthesizer.stream(request) as utterance:
        rest = _Rest(text) if request.text is None else None
        if rest is not None:
            rest.write_to(utterance)
        async for chunk in utterance:
            encoder = encoder or open_encoder(format_name, utterance.sample_rate, exact_sizes=exact)
            output.write(encoder.encode(chunk.audio.samples))
            if rest is not None:
                rest.write_to(utterance)
            if progress is not None:
                progress(chunk.sentence.start + len(chunk.sentence.text), utterance.produced_s)
        if encoder is None:
            raise EmptyInput
        output.write(encoder.flush())
        output.finish()
        if progress is not None:
            wall_s = time.monotonic() - started_s
            first_ms = (utterance.first_chunk_s or 0.0) * 1e3
            print(
                f"{_clear_line()}{output.name}: {utterance.produced_s:.1f} s of speech by '{utterance.voice.info.id}' "
                f"in {wall_s:.1f} s, first sound after {first_ms:.0f} ms",
                file=sys.stderr,
            )
            if utterance.unspoken:
                print(f"left out: {', '.join(part.text for part in utterance.unspoken)}", file=sys.stderr)


class _Rest:
    """A long text handed over piece by piece, a little ahead of what is spoken."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0

    def write_to(self, utterance: Utterance) -> None:
        while self._position < len(self._text) and utterance.backlog < PIECE:
            utterance.write(self._text[self._position : self._position + PIECE])
            self._position += PIECE
        if self._position >= len(self._text):
            utterance.end()


def _text(argument: str | None) -> str:
    if argument is not None and argument != "-":
        return argument
    if sys.stdin.isatty():
        print("vivavoce: type the text, end it with Ctrl-D", file=sys.stderr)
    return sys.stdin.buffer.read().decode("utf-8", "replace")


def _destination(output: str | None, format_name: str | None) -> tuple[str, Path | None, tuple[str, ...] | None]:
    """(format, file, player): one of file and player, or neither for standard output.

    Raises:
        UnsupportedFormat: If no encoder has that name.
    """
    if format_name is not None:
        named = format_named(format_name).name
        if named not in FORMATS:
            raise UnsupportedFormat(format_name, FORMATS)
        format_name = named
    if output == "-":
        return format_name or "wav", None, None
    if output is None:
        player = next((p for p in PLAYERS if shutil.which(p[0])), None)
        if player is not None:
            return "wav", None, player
        output = f"speech.{format_name or 'wav'}"
    path = Path(output)
    suffix = path.suffix.removeprefix(".").lower()
    if format_name is None and suffix not in FORMATS:
        raise UnsupportedFormat(suffix or output, FORMATS)
    return format_name or suffix, path, None


def _progress(total: int) -> Callable[[int, float], None]:
    def show(done: int, audio_s: float) -> None:
        if sys.stderr.isatty():
            line = f"{_clear_line()}{min(1.0, done / total):4.0%}  {audio_s:.1f} s of speech"
            print(line, end="", file=sys.stderr, flush=True)

    return show


def _clear_line() -> str:
    """What moves to the start of an emptied line; nothing where standard error is not a terminal."""
    return "\r\033[K" if sys.stderr.isatty() else ""


def _language(text: str) -> str:
    try:
        return language_code(text)
    except UnknownLanguage as error:
        raise argparse.ArgumentTypeError(error.message) from None


def _ranged(kind: type[float] | type[int], allowed: wish.Range[Any]) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"'{text}' is not a number") from None
        if not allowed.holds(value):
            raise argparse.ArgumentTypeError(f"{text} is not between {allowed.low:g} and {allowed.high:g}")
        return value

    return read
