"""`vivavoce transcribe`: what is said in a file, on standard input or into the microphone, without a server."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from vivavoce import settings
from vivavoce.app.assistant import open_chat
from vivavoce.app.listener import build_transcriber
from vivavoce.app.machine import Machine, build_machine
from vivavoce.app.translation import all_translators, local_translators
from vivavoce.audio.decoders import READ_BYTES, AudioDecoder, DecodingRules
from vivavoce.cli.output import Output
from vivavoce.cli.progress import ProgressBar
from vivavoce.config import Config
from vivavoce.decoding.recording import Recording
from vivavoce.engines.recognizer import HearingOptions, Task
from vivavoce.errors import InvalidAudio, InvalidRequest, UnknownLanguage
from vivavoce.logs import configure_logging
from vivavoce.metrics import Metrics
from vivavoce.recognition.language_names import heard_language
from vivavoce.recognition.listener import SAMPLE_RATE, HeardSegment, Hearing, HearingRequest
from vivavoce.recognition.transcriber import Transcriber
from vivavoce.recognition.transcript import Transcript
from vivavoce.routes.transcript_formats import FORMATS, TIMED, written
from vivavoce.translation.plan import check_details, planned
from vivavoce.translation.translated import translated
from vivavoce.translation.translator import Translator

EXAMPLES = """\
examples:
  vivavoce transcribe talk.mp3                     the words
  vivavoce transcribe talk.m4a -o talk.srt         subtitles; the format follows the name
  vivavoce say "Hello there." -o - | vivavoce transcribe -
  vivavoce transcribe interview.ogg --translate    in English, whatever is spoken
  vivavoce transcribe talk.mp3 --translate --to pt in Portuguese, with a chat model or vivavoce[translate]
  vivavoce transcribe --live                       what you say, while you say it
"""
LONG_S = 60.0  # of sound: from here on progress is worth showing
MOST_S = 24 * 3600.0
_CLEAR = "\r\033[K"  # what empties a line of a terminal
BLOCK_S = 0.1  # of the microphone
SUFFIXES = {".srt": "srt", ".vtt": "vtt", ".json": "verbose_json", ".txt": "text"}

# Programs that write 16 kHz s16 mono of the microphone to standard output, first found wins.
RECORDERS = (
    ("arecord", "-q", "-t", "raw", "-f", "S16_LE", "-r", "16000", "-c", "1"),
    ("parec", "--format=s16le", "--rate=16000", "--channels=1", "--latency-msec=50"),
    ("ffmpeg", "-loglevel", "error", "-f", "pulse", "-i", "default", "-f", "s16le", "-ar", "16000", "-ac", "1", "-"),
)


class NoMicrophone(InvalidRequest):
    """No program of this machine that records from a microphone was found."""


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "transcribe",
        help="write down what is said in a file or into the microphone",
        description="Write down what is said; no server is needed.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", nargs="?", help="WAV, FLAC, MP3, M4A, AAC, Ogg, WebM, AMR; `-` is standard input")
    parser.add_argument("--live", action="store_true", help="listen to the microphone until interrupted")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write (default: standard output)")
    parser.add_argument(
        "--format", choices=tuple(FORMATS), help="default: by the output's name, else text", metavar="|".join(FORMATS)
    )
    parser.add_argument("--model", help="recognition model, see `vivavoce models list` (default: whisper-base)")
    parser.add_argument("--language", type=_language, help="what is spoken: a code or a name (default: detected)")
    parser.add_argument("--translate", action="store_true", help="write English, whatever is spoken")
    parser.add_argument("--to", type=_language, metavar="LANGUAGE", help="of --translate, in a file (default: English)")
    parser.add_argument("--words", action="store_true", help="times of words, in verbose_json")
    parser.add_argument("--prompt", default="", help="names and spelling that are likely")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Listen. Returns the exit status."""
    if args.live == (args.file is not None):
        raise InvalidRequest("name a file (`-` is standard input), or --live for the microphone")
    if args.to is not None and not args.translate:
        raise InvalidRequest("--to says into which language to --translate")
    if args.to not in (None, "en") and args.live:
        raise InvalidRequest("other languages than English are written for files")
    config = settings.load(flags={"preload": False, "preload_recognizer": False})
    configure_logging("warning", "text")
    asyncio.run(_live(config, args) if args.live else _file(config, args))
    return 0


# -- a recording


async def _file(config: Config, args: argparse.Namespace) -> None:
    path = Path(args.output) if args.output not in (None, "-") else None
    format = args.format or (SUFFIXES.get(path.suffix.lower(), "text") if path else "text")
    output = Output(path, None)
    try:
        with Recording(SAMPLE_RATE) as recording:
            _decode(args.file, recording)
            transcript = await _heard(config, args, recording, timed=format in TIMED)
        granularities = ("segment", "word") if args.words else ("segment",)
        text = written(transcript, format, granularities=granularities)
        output.write(text.encode() if text.endswith("\n") else f"{text}\n".encode())
        output.finish()
    finally:
        output.close()


async def _heard(config: Config, args: argparse.Namespace, recording: Recording, *, timed: bool) -> Transcript:
    total_s, started_s = recording.duration_s, time.monotonic()
    shows = not args.quiet and total_s >= LONG_S
    async with _transcriber(config) as (transcriber, machine), _translators(config, machine) as translators:
        request, language, translator = _request(args, word_times=timed), None, None
        if args.translate:
            info = transcriber.choose(args.model).info
            plan = planned(info, request.options, args.to or "en", translators)
            check_details(plan, words="--words" if args.words else None, logprobs=None)
            request = replace(request, options=plan.options)
            language, translator = plan.target, plan.translator
        with ProgressBar("transcribe") as bar:

            def position(at_s: float) -> None:
                if shows:
                    bar(f"{min(at_s, total_s):.0f} of {total_s:.0f} s", at_s / total_s)

            async with transcriber.transcribe([recording.sound()], request, position) as segments:
                if translator is not None and language is not None:
                    segments = translated(segments, translator, language, total_s)
                found = [segment async for segment in segments]
    if shows:
        wall_s = time.monotonic() - started_s
        print(f"{total_s:.0f} s of sound heard in {wall_s:.1f} s", file=sys.stderr)
    return Transcript.of("translate" if args.translate else "transcribe", total_s, found, language)


def _decode(name: str, recording: Recording) -> None:
    """All of a file of the user's own, decoded in this process."""
    rules = DecodingRules(max_s=MOST_S, max_pcm_bytes=1 << 40, max_channels=8)
    try:
        file: BinaryIO = sys.stdin.buffer if name == "-" else open(name, "rb")  # noqa: SIM115  # closed below
    except OSError as error:
        raise InvalidAudio(f"cannot read {name}: {error.strerror}") from error
    with file, AudioDecoder(SAMPLE_RATE, rules) as decoder:
        while data := file.read(READ_BYTES):
            recording.append(decoder.decode(data))
        recording.append(decoder.flush())


# -- the microphone


async def _live(config: Config, args: argparse.Namespace) -> None:
    command = next((each for each in RECORDERS if shutil.which(each[0])), None)
    if command is None:
        names = ", ".join(each[0] for each in RECORDERS)
        raise NoMicrophone(f"nothing here can record: install one of {names}")
    request = _request(args, word_times=False)
    async with _transcriber(config) as (transcriber, _):
        await transcriber.load_model(args.model or "default")
        recorder = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        print("listening; interrupt to end", file=sys.stderr)
        try:
            async with transcriber.listen(request) as hearing, asyncio.TaskGroup() as tasks:
                tasks.create_task(_record(recorder, hearing))
                await _show(hearing)
        finally:
            if recorder.returncode is None:
                recorder.terminate()
            await recorder.wait()
    if recorder.returncode not in (0, -signal.SIGTERM):
        raise NoMicrophone(f"{command[0]} could not record (status {recorder.returncode}); is there a microphone?")


async def _record(recorder: asyncio.subprocess.Process, hearing: Hearing) -> None:
    assert recorder.stdout is not None
    size = 2 * round(BLOCK_S * SAMPLE_RATE)
    while True:
        try:
            data = await recorder.stdout.readexactly(size)
        except asyncio.IncompleteReadError:
            break
        hearing.write(np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768))
    hearing.end()


async def _show(hearing: Hearing) -> None:
    """A line for each segment; on a terminal the words appear while they are said."""
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns - 1
    async for event in hearing:
        if not isinstance(event, HeardSegment):
            continue
        if event.heard.is_final and event.heard.text:
            print(f"{_CLEAR if terminal else ''}{event.heard.text}", flush=True)
        elif terminal:
            print(f"{_CLEAR}\033[2m{event.heard.text[-width:]}\033[0m", end="", flush=True)


# -- both


@asynccontextmanager
async def _transcriber(config: Config) -> AsyncIterator[tuple[Transcriber, Machine]]:
    metrics = Metrics()
    machine = build_machine(config, metrics)
    transcriber = build_transcriber(config, metrics, machine)
    try:
        yield transcriber, machine
    finally:
        await transcriber.aclose()
        machine.pool.close()


@asynccontextmanager
async def _translators(config: Config, machine: Machine) -> AsyncIterator[Sequence[Translator]]:
    chat = open_chat(config.assistant)
    try:
        yield all_translators(chat, local_translators(machine))
    finally:
        if chat is not None:
            await chat.aclose()


def _request(args: argparse.Namespace, *, word_times: bool) -> HearingRequest:
    task: Task = "translate" if args.translate else "transcribe"
    options = HearingOptions(language=args.language, task=task, prompt=args.prompt, word_times=word_times)
    return HearingRequest(model=args.model or "default", options=options, drafts=args.live, transport="cli")


def _language(text: str) -> str | None:
    try:
        return heard_language(text)
    except UnknownLanguage as error:
        raise argparse.ArgumentTypeError(f"unknown language '{text[:20]}'") from error
