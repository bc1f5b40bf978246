"""`vivavoce space`: from voices on this machine to a folder that becomes a Hugging Face Space.

Every voice is loaded and speaks a sentence first: a folder that was written is a folder that works. What goes into it
is `vivavoce.space`'s matter.
"""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vivavoce import settings
from vivavoce.cli.progress import ProgressBar
from vivavoce.cli.voices_check import SENTENCES, speak
from vivavoce.config import Config
from vivavoce.engines.genie.reading.genie_data import PULL_COMMAND, GenieData, genie_data_dir
from vivavoce.engines.registry import open_engines
from vivavoce.engines.speech import SpeechEngine, VoiceInfo
from vivavoce.errors import ConfigError, EngineError, UnknownVoice, VoiceUnavailable
from vivavoce.space import SpaceFiles, Written, write_space
from vivavoce.text.normalize import normalize
from vivavoce.voices.pack import VoicePack
from vivavoce.voices.store import VoiceStore, open_store

AUDIBLE = 10 ** (-45 / 20)  # -45 dBFS: a voice that stays below says nothing
SPACE_BYTES = 1_000_000_000  # the hub's limit for the files of one Space

EXAMPLES = """\
examples:
  vivavoce space my-space --voice anna
  vivavoce space my-space --voice anna --voice anna-sad --title "Anna speaks"
  vivavoce space my-space --voice heart              the voice that comes with the server
  vivavoce space my-space --voice anna --package dist/vivavoce-0.1.0-py3-none-any.whl

docs/space.md goes through it step by step.
"""


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "space",
        help="write a folder that becomes a Hugging Face Space",
        description="Write a folder that becomes a Hugging Face Space when it is pushed. Every voice speaks first.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="new or empty folder, or a clone of the Space")
    parser.add_argument(
        "--voice",
        dest="names",
        action="append",
        required=True,
        metavar="NAME",
        help="a voice of this machine; may be given several times, the first answers where none is named",
    )
    parser.add_argument("--title", default="Viva Voce", help="of the Space (default: %(default)s)")
    parser.add_argument("--license", default="other", help="of the voices, as the hub names it (default: %(default)s)")
    parser.add_argument(
        "--package",
        metavar="FILE|REQUIREMENT",
        help="a wheel or source archive to put in and install, or what pip is to install (default: this version)",
    )
    parser.add_argument(
        "--pull-data", action="store_true", help="leave GenieData (0.4 GB) out; the Space downloads it when it is built"
    )
    parser.add_argument(
        "--chinese-features", action="store_true", help="with RoBERTa (0.6 GB), which makes Chinese livelier"
    )
    parser.add_argument("--replace", action="store_true", help="take the place of a Space written there before")
    parser.add_argument(
        "--voices",
        metavar="DIR",
        type=lambda text: settings.parse("voices", text, source="--voices"),
        help="folder to look for voices in, before the others",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check, write, and tell what to type next. Returns the exit status."""
    config = settings.load(flags={"voices": args.voices, "preload": False})
    title, license, requirement = _title(args.title), _license(args.license), _requirement(args.package)
    store, engines = open_store(config.voices), open_engines(config.voices)
    infos = _chosen(args.names, engines)
    for info in infos:
        _require_sound(info, engines)
    packs = _packs([info.id for info in infos if info.engine == "genie"], store)
    files = SpaceFiles(
        title=title,
        license=license,
        packs=packs,
        embedded=[info.id for info in infos if info.engine != "genie"],
        default=infos[0].id,
        data={} if args.pull_data else _shared_data(config, packs, args.chinese_features),
        pull_data=args.pull_data and bool(packs),
        requirement=requirement,
    )
    with ProgressBar("writing") as progress:
        written = write_space(files, args.folder, progress, replace=args.replace)
    _announce(written, files)
    return 0


def _chosen(names: Sequence[str], engines: Sequence[SpeechEngine]) -> list[VoiceInfo]:
    known: dict[str, VoiceInfo] = {}
    for engine in engines:
        for info in engine.voices():
            known.setdefault(info.id, info)
    for name in names:
        if name not in known:
            raise UnknownVoice(name, known)
    return [known[name] for name in dict.fromkeys(names)]


def _require_sound(info: VoiceInfo, engines: Sequence[SpeechEngine]) -> None:
    """Load the voice and let it speak.

    Raises:
        VoiceUnavailable: If it cannot be loaded.
        EngineError: If it says nothing.
    """
    if info.problem is not None:
        raise VoiceUnavailable(f"voice '{info.id}' cannot speak: {info.problem}", param="voice")
    engine = next(engine for engine in engines if engine.name == info.engine)
    with ProgressBar(f"loading {info.id}") as progress:
        voice = engine.load_voice(info.id, progress)
    language = info.languages[0]
    take = speak(engine, voice, normalize(SENTENCES[language], language), seed=1)
    engine.unload_voice(voice)
    if float(np.max(np.abs(take.samples))) < AUDIBLE:
        raise EngineError(f"voice '{info.id}' made no sound; `vivavoce voices check {info.id}` tells more")
    print(f"{info.id} speaks: {len(take.samples) / engine.sample_rate:.1f} s of {language}")


def _packs(ids: Sequence[str], store: VoiceStore) -> list[VoicePack]:
    """Their files, verified; a clone brings its base along."""
    wanted = list(ids)
    for voice_id in ids:
        base = store.get(voice_id).base
        if base is not None and base not in wanted:
            print(f"{voice_id} speaks with the weights of {base}, which goes along")
            wanted.append(base)
    return [store.verified(voice_id) for voice_id in wanted]


def _shared_data(config: Config, packs: Sequence[VoicePack], chinese_features: bool) -> dict[str, Path]:
    if not packs:
        return {}
    data = GenieData(genie_data_dir(config.voices.data_dir))
    if chinese_features and not data.roberta.is_file():
        raise ConfigError(f"--chinese-features: there is no '{data.roberta}'; `{PULL_COMMAND}` gets what is published")
    return data.files(v2_pro_plus=any(pack.version == "v2ProPlus" for pack in packs), chinese_features=chinese_features)


def _title(text: str) -> str:
    title = " ".join(text.split())
    if not title or not title.isprintable() or len(title) > 80:
        raise ConfigError("--title: 1 to 80 plain characters")
    return title


def _license(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]{0,40}", text):
        raise ConfigError("--license: a licence as the hub names it, such as other, mit or cc-by-nc-4.0")
    return text


def _requirement(text: str | None) -> str | Path:
    if text is None:
        return ""
    if Path(text).is_file():
        return Path(text)
    if re.search(r"[\s/\\]|\.whl$|\.tar\.gz$", text) and "@" not in text:
        raise ConfigError(f"--package: there is no file '{text}'")
    return text


def _announce(written: Written, files: SpaceFiles) -> None:
    parts = ", ".join(f"{name} {_mb(size)}" for name, size in written.parts.items() if size > 500_000)
    print(f"{written.folder}: {_mb(written.size)}" + (f" ({parts})" if parts else ""))
    if written.size > SPACE_BYTES:
        hint = "" if files.pull_data else "; --pull-data leaves GenieData to the build"
        print(f"The hub keeps {_mb(SPACE_BYTES)} for a Space: this is more{hint}")
    name = re.sub(r"[^a-z0-9]+", "-", files.title.lower()).strip("-") or "my-voice"
    folder = shlex.quote(str(written.folder))
    print("Publish it, with the name that you have on the hub:")
    print("  hf auth login")
    print(f"  hf upload YOUR_NAME/{name} {folder} . --repo-type space")
    print("or with git and git-lfs, into a Space that you have made (SDK: Docker):")
    print(f"  git -C {folder} init -b main && git -C {folder} lfs install --local")
    print(f"  git -C {folder} add . && git -C {folder} commit -m 'Speak'")
    print(f"  git -C {folder} push --force https://huggingface.co/spaces/YOUR_NAME/{name} main")


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB" if size >= 500_000 else f"{size / 1e3:.0f} kB"
