"""What the subcommands of `vivavoce voices` do: thin layers over `vivavoce.voices`.

None of them needs a running server, and a running server sees what they did at its next listing. Called by
`voices.py` with parsed arguments and the Config; each returns an exit status.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from vivavoce.cli.main import EXIT_ERROR
from vivavoce.cli.progress import ProgressBar
from vivavoce.config import Config
from vivavoce.engines.embedded import EmbeddedEngine
from vivavoce.engines.speech import VoiceInfo
from vivavoce.errors import ConfigError, VoicePackError, VoiceUnavailable
from vivavoce.voices.clip import decode_clip, require_reference
from vivavoce.voices.install import NewReference, add, clone, remove
from vivavoce.voices.pack import VoicePack
from vivavoce.voices.pull import GENIE_DATA, pull_genie_data, pull_voice
from vivavoce.voices.store import open_store

Action = Callable[[argparse.Namespace, Config], int]


def list_voices(args: argparse.Namespace, config: Config) -> int:
    """`vivavoce voices list`: what is installed. Returns the exit status, as all of these do."""
    packs = open_store(config.voices).list()
    if args.json:
        print(json.dumps([_as_json(pack) for pack in packs], ensure_ascii=False, indent=1))
        return 0
    rows = [("VOICE", "LANGUAGE", "VERSION", "SIZE", "REFERENCES", "STATE")]
    rows += [
        (pack.id, pack.language, pack.version, _size(pack), ", ".join(pack.references) or "-", pack.problem or "ready")
        for pack in packs
    ]
    rows += [(v.id, ", ".join(v.languages), v.engine, "-", "-", v.problem or "ready") for v in _embedded_voices()]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)).rstrip())
    if not packs:
        print("No GPT-SoVITS voices here. Get one: vivavoce voices pull mika   or: vivavoce voices add DIR")
    return 0


def _embedded_voices() -> list[VoiceInfo]:
    """The voices that come with the server; none where their package is absent."""
    try:
        return EmbeddedEngine().voices()
    except ImportError:
        return []


def add_voice(args: argparse.Namespace, config: Config) -> int:
    """`vivavoce voices add`: install a folder or archive."""
    if not args.source.exists():
        raise VoicePackError(f"there is no '{args.source}'")
    with ProgressBar("adding") as progress:
        pack = add(
            open_store(config.voices),
            args.source,
            name=args.name,
            reference=_reference(args),
            overwrite=args.replace,
            progress=progress,
        )
    _announce(pack)
    return 0


def pull_voices(args: argparse.Namespace, config: Config) -> int:
    """`vivavoce voices pull`: fetch voices from the hub."""
    from vivavoce.engines.genie.reading.genie_data import GenieData
    from vivavoce.hub import Hub

    hub = Hub(args.repository, args.revision).pinned()
    data = _genie_data(config)
    shared_missing = not GenieData(data).hubert.is_file()
    if GENIE_DATA in args.names or shared_missing:
        with ProgressBar(GENIE_DATA) as progress:
            fetched = pull_genie_data(hub, data, progress)
        print(f"GenieData is complete in {data} ({fetched} files fetched)")
    for name in dict.fromkeys(name for name in args.names if name != GENIE_DATA):
        with ProgressBar(name) as progress:
            pack, fetched = pull_voice(hub, name, open_store(config.voices), progress)
        print(f"{fetched} files fetched, all checksums are right" if fetched else "nothing to do: every file is right")
        _announce(pack)
    return 0


def prepare_voices(args: argparse.Namespace, config: Config) -> int:
    """`vivavoce voices prepare`: compile voices before they are first asked for."""
    from vivavoce.engines.genie.engine import open_engine

    engine = open_engine(config.voices)
    names = args.names or [info.id for info in engine.voices() if info.problem is None]
    failed = 0
    for name in names:
        try:
            with ProgressBar(f"preparing {name}") as progress:
                engine.unload_voice(engine.load_voice(name, progress))
        except VoiceUnavailable as error:
            failed += 1
            print(f"vivavoce: {error}", file=sys.stderr)
        else:
            print(f"{name} is prepared")
    return EXIT_ERROR if failed else 0


def convert_voice(args: argparse.Namespace, config: Config) -> int:
    """`vivavoce voices convert`: make a voice of a checkpoint."""
    from vivavoce.voices.convert import convert

    reference = _reference(args)  # a wrong clip is told before minutes of work
    with ProgressBar("converting") as progress:
        version = convert(args.ckpt, args.pth, args.out, progress)
    print(f"{args.out} holds a {version} voice")
    if args.name is None:
        print(f"Next: vivavoce voices add {args.out} --audio CLIP --text 'what the clip says'")
        return 0
    _announce(add(open_store(config.voices), args.out, name=args.name, reference=reference))
    return 0


def clone_voice(args: argparse.Namespace, config: Config) -> int:
    """`vivavoce voices clone`: make a voice of a recording, on the weights of another."""
    reference = _reference(args)
    if reference is None:
        raise ConfigError("clone needs --audio and --text")
    _announce(clone(open_store(config.voices), args.name, args.base, reference, overwrite=args.replace))
    return 0


def check_voice(args: argparse.Namespace, config: Config) -> int:
    """`vivavoce voices check`: speak, and measure what is heard."""
    store = open_store(config.voices)
    pack = store.verified(args.name, thorough=True, trust=args.trust)
    print(f"{pack.id}: {len(pack.files)} files, every checksum is right")
    if not args.files_only:
        from vivavoce.cli.voices_check import speak_and_measure

        speak_and_measure(config, pack, args.text)
    return 0


def remove_voices(args: argparse.Namespace, config: Config) -> int:
    """`vivavoce voices remove`: delete voices from disk."""
    store = open_store(config.voices)
    for name in args.names:
        remove(store, name)
        print(f"{name} is removed")
    return 0


ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "list": list_voices,
        "add": add_voice,
        "pull": pull_voices,
        "prepare": prepare_voices,
        "convert": convert_voice,
        "clone": clone_voice,
        "check": check_voice,
        "remove": remove_voices,
    }
)


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
    return (
        Path(named).expanduser()
        if (named := os.environ.get("GENIE_DATA_DIR"))
        else config.voices.data_dir / "GenieData"
    )


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
