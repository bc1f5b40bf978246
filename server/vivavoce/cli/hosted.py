"""`vivavoce hosted`: models on other machines from the command line, within the rules of the server's routes.

vivavoce hosted text-to-audio TEXT    a text becomes sound in a file
vivavoce hosted image-to-text FILE    a picture becomes words
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vivavoce import settings
from vivavoce.app.hosted import open_models
from vivavoce.audio.encoders import FORMATS
from vivavoce.cli.output import Output
from vivavoce.config import Config
from vivavoce.decoding.service import DecodingService
from vivavoce.errors import EmptyInput, InvalidRequest, TextTooLong, UnsupportedFormat, VivaVoceError
from vivavoce.format_names import format_named
from vivavoce.hosted.addresses import HUGGING_FACE, model_url
from vivavoce.hosted.captions import look_at, wished
from vivavoce.hosted.inference import HostedModels
from vivavoce.hosted.pictures import PictureReader
from vivavoce.hosted.transcoding import as_the_models_fault, transcoded
from vivavoce.logs import configure_logging
from vivavoce.metrics import Metrics

EXAMPLES = """\
examples:
  vivavoce hosted text-to-audio "rain on a tin roof" --model facebook/musicgen-small -o rain.ogg
  vivavoce hosted image-to-text picture.jpg --model Salesforce/blip-image-captioning-base --field generated_text
  vivavoce hosted image-to-text letter.png --url local:ocr      reads text, offline; needs vivavoce[ocr]

The token of Hugging Face is taken from HF_TOKEN or from `hf auth login`, others from the setting hosted_tokens.
"""


def add_parser(commands: Any) -> None:
    """Add the command with its two halves."""
    parser = commands.add_parser(
        "hosted",
        help="call models on other machines",
        description="Call models on other machines.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    halves = parser.add_subparsers(metavar="WHAT", required=True)
    sound = halves.add_parser("text-to-audio", help="a text becomes sound")
    sound.add_argument("text", help="what the model is told; `-`: standard input")
    _add_model(sound)
    sound.add_argument("-o", "--output", metavar="FILE", default="out.ogg", help="`-` is standard output")
    sound.add_argument("--format", metavar="|".join(FORMATS), help="default: by the file's name, else ogg")
    sound.add_argument("--parameters", metavar="JSON", type=_object, help="for the model, beside the text")
    sound.set_defaults(run=run_text_to_audio)
    picture = halves.add_parser("image-to-text", help="a picture becomes words")
    picture.add_argument("picture", type=Path, help="JPEG, PNG or WebP")
    _add_model(picture)
    picture.add_argument("--field", metavar="NAME", help="only this field of the answer, such as generated_text")
    picture.set_defaults(run=run_image_to_text)


def run_text_to_audio(args: argparse.Namespace) -> int:
    """Write the sound. Returns the exit status."""
    config = _config()
    text = sys.stdin.read() if args.text == "-" else args.text
    if not text.strip():
        raise EmptyInput("the text holds nothing", param="text")
    if len(text) > config.limits.max_text:
        raise TextTooLong(len(text), config.limits.max_text, param="text")
    if args.url is not None and args.url.startswith("local:"):
        raise InvalidRequest("a voice of this machine speaks with `vivavoce say`")
    path = None if args.output == "-" else Path(args.output)
    format = format_named(args.format or (path.suffix if path else "ogg")).name
    if format not in FORMATS:
        raise UnsupportedFormat(format, FORMATS)
    output = Output(path, None)
    try:
        asyncio.run(_sound(config, _address(args), text, args.parameters, format, output, quiet=args.quiet))
        output.finish()
    finally:
        output.close()
    return 0


def run_image_to_text(args: argparse.Namespace) -> int:
    """Print the words. Returns the exit status."""
    config = _config()
    try:
        image = args.picture.read_bytes()
    except OSError as error:
        raise InvalidRequest(f"cannot read {args.picture}: {error.strerror}") from None
    answer = wished(asyncio.run(_words(config, _address(args), image, quiet=args.quiet)), args.field)
    print(answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False, indent=2))
    return 0


async def _sound(
    config: Config, address: str, text: str, parameters: Any, format: str, output: Output, *, quiet: bool
) -> None:
    models, decoding = _models(config), DecodingService(Metrics())
    try:
        target = models.target(address, param="url")
        with ThreadPoolExecutor(1) as encoding, _progress(quiet) as told, as_the_models_fault():
            async with (
                models.sound(target, models.own_token(target), text, parameters) as sound,
                decoding.live(owner="cli", sample_rate=None) as decoder,
            ):
                async for part in transcoded(sound, decoder, format, encoding):
                    output.write(part)
                    told(f"{sound.received / 1e6:.1f} MB received, {decoder.duration_s:.1f} s of sound")
    finally:
        await decoding.aclose()
        await models.aclose()


async def _words(config: Config, address: str, image: bytes, *, quiet: bool) -> Any:
    picture = look_at(image, param="picture")
    if address.startswith("local:"):
        reader = PictureReader()
        try:
            return await reader.read(address.removeprefix("local:"), image)
        finally:
            await reader.aclose()
    models = _models(config)
    try:
        target = models.target(address, param="url")
        with _progress(quiet):
            return await models.caption(target, models.own_token(target), image, picture.media_type)
    finally:
        await models.aclose()


def _models(config: Config) -> HostedModels:
    """The client, with the user's own token of Hugging Face: who types the command names the model."""
    token = os.environ.get("HF_TOKEN") or _stored_token()
    return open_models(config.hosted, {} if token is None else dict.fromkeys(HUGGING_FACE, token))


def _stored_token() -> str | None:
    from huggingface_hub import get_token

    token: str | None = get_token()
    return token


def _address(args: argparse.Namespace) -> str:
    address: str = args.url or model_url(args.model)
    return address


def _config() -> Config:
    configure_logging("warning", "text")
    return settings.load(flags={})


def _add_model(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", metavar="ORG/NAME", help="on Hugging Face's router")
    which.add_argument("--url", help="the model's address: an endpoint of your own, a provider, or local:ocr")
    parser.add_argument("--quiet", action="store_true", help="no progress")


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        raise argparse.ArgumentTypeError("not JSON") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError("not an object")
    return value


class _Told:
    """A line on standard error that says what is waited for."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._live = sys.stderr.isatty()
        self._begun_s = time.monotonic()
        self._last = ""

    def __call__(self, what: str) -> None:
        self._last = what
        if self._live and not self._quiet:
            print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if not self._quiet and self._last:
            took_s = time.monotonic() - self._begun_s
            print(f"{chr(13) if self._live else ''}{self._last} in {took_s:.1f} s", file=sys.stderr, flush=True)


@contextmanager
def _progress(quiet: bool) -> Iterator[_Told]:
    told = _Told(quiet)
    told("waiting for the model")
    try:
        yield told
    except VivaVoceError:
        told("")
        raise
    told.end()
