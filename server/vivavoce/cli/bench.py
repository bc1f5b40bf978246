"""`vivavoce bench`: how many listeners this machine carries, in about two minutes, and what to write into settings."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from vivavoce.app.services import Services, services_of_this_machine
from vivavoce.app.sizing import Found, cost_of, find_most, recorded, text_of, try_conversations, try_listeners
from vivavoce.cli.serve import add_settings, config_from
from vivavoce.config import Config
from vivavoce.errors import VivaVoceError
from vivavoce.logs import configure_logging
from vivavoce.metrics import Metrics
from vivavoce.recognition.listener import ResolvedModel
from vivavoce.synthesis.speaker import ResolvedVoice

EXAMPLES = """\
examples:
  vivavoce bench                         the default voice, two minutes
  vivavoce bench --voice mika            another one
  vivavoce bench --quick                 a few seconds: a first idea
"""


def add_parser(commands: Any) -> None:
    """Add the command: the flags of `serve`, and how long it may take."""
    parser = commands.add_parser(
        "bench",
        help="measure how many listeners this machine carries",
        description="Measure how many listeners and conversations this machine carries without a gap.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=120.0, help="time it may take (default: 120)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the time, short texts: a first idea only")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="TOML file of settings (default: vivavoce.toml, if there)"
    )
    add_settings(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print. Returns the exit status."""
    config = config_from(args).changed(admission_share=0.0, max_streams=1000, max_streams_per_key=1000)
    configure_logging("error", config.logs.log_format)
    seconds, speech_s = (args.seconds / 10, 2.0) if args.quick else (args.seconds, 8.0)
    services = services_of_this_machine(config, Metrics())
    try:
        asyncio.run(_measure(services, config, seconds, speech_s))
    except VivaVoceError as error:
        print(f"vivavoce: {error}", file=sys.stderr)
        return 3
    return 0


async def _measure(services: Services, config: Config, seconds: float, speech_s: float) -> None:
    end_s, cores = time.monotonic() + seconds, config.speed.worker_count()
    try:
        voice = await asyncio.to_thread(services.speaker.choose, config.voices.voice)
        cost = await _warm(services, voice)
        guess = max(1, round(1 / cost))
        share_s = 0.6 if (model := await _model(services)) else 1.0
        until_s = time.monotonic() + share_s * max(0.0, end_s - time.monotonic())
        alone = await find_most(lambda count: try_listeners(services, voice, count, speech_s), guess, until_s)
        talks = await _conversations(services, voice, model, speech_s, alone.most, end_s) if model else None
    finally:
        await services.listener.aclose()
        await services.speaker.aclose()
    print(report(voice.info.id, cores, cost, alone, talks))
    print(json.dumps(_numbers(voice.info.id, cores, cost, alone, talks)))


async def _warm(services: Services, voice: ResolvedVoice) -> float:
    """What a second of speech costs, once everything is loaded."""
    await cost_of(services, voice, text_of(voice, 2))
    return await cost_of(services, voice, text_of(voice, 4))


async def _model(services: Services) -> ResolvedModel | None:
    """What hears where no model is named, if it can."""
    try:
        model = await asyncio.to_thread(services.listener.choose)
        await services.listener.load_model(model.info.id)
    except VivaVoceError:
        return None
    return model


async def _conversations(
    services: Services, voice: ResolvedVoice, model: ResolvedModel, speech_s: float, listeners: int, end_s: float
) -> Found:
    speech = await recorded(services, voice, text_of(voice, speech_s))
    return await find_most(
        lambda count: try_conversations(services, voice, model, speech, count, speech_s),
        max(1, listeners // 2),
        end_s,
    )


def report(voice: str, cores: int, cost: float, alone: Found, talks: Found | None) -> str:
    """The table, and what to do with it."""
    lines = [
        f"voice {voice}, {cores} cores; a second of speech takes {cost:.2f} s with all of them",
        "",
        f"{'':24}{'at once':>9}{'first sound':>14}{'gaps':>7}{'words after':>13}",
        *_rows("listeners", alone),
        *(_rows("conversations", talks) if talks is not None else ["no recognition model is here: not measured"]),
        "",
    ]
    if not alone.most:
        return "\n".join(
            [*lines, "Not one listener is carried without a gap: this machine is too slow for this voice."]
        )
    return "\n".join([
        *lines,
        f"Without a gap: {alone.most} listeners"
        + (f", or {talks.most} conversations with recognition beside them." if talks is not None else "."),
        "For a cluster of such machines:",
        f"  mouth_cores = {cores}",
        f"  mouth_listeners = {alone.most}",
        *([f"  ear_cores = {cores}", f"  ear_listeners = {talks.most}"] if talks is not None and talks.most else []),
    ])  # fmt: skip


def _rows(what: str, found: Found) -> list[str]:
    rows = []
    for tried in sorted(found.tries, key=lambda each: each.count):
        gaps = sum(len(played.gaps_s) for played in tried.played)
        words = f"{1000 * max(tried.words_s):.0f} ms" if tried.words_s else ""
        failed = f"  {tried.failed} failed" if tried.failed else ""
        rows.append(f"{what:24}{tried.count:>9}{1000 * tried.first_s:>11.0f} ms{gaps:>7}{words:>13}{failed}")
    return rows


def _numbers(voice: str, cores: int, cost: float, alone: Found, talks: Found | None) -> dict[str, Any]:
    return {
        "bench": "sizing",
        "voice": voice,
        "cores": cores,
        "cost": round(cost, 3),
        "listeners": alone.most,
        "first_ms": round(1000 * alone.best.first_s) if alone.best is not None else None,
        "conversations": talks.most if talks is not None else None,
    }
