"""The recognition models on this machine: in packages and in the data folder. What the recognizer takes them from.

Knows no network. A listing is cheap; a model is checked against its checksums when it is asked for. Made by `app/` and
by the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vivavoce.engines.recognizer import RecognizerInfo
from vivavoce.errors import ModelPackError, ModelUnavailable, UnknownModel
from vivavoce.models.catalogue import CATALOGUE, DEFAULT
from vivavoce.models.checksums import FileList, read_list, verify
from vivavoce.models.packaged import PACKAGED, PackagedModel
from vivavoce.progress import Progress
from vivavoce.voices.placing import discard, sweep

ENGINE = "whisper"

_CODES = """
    en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml
    cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am
    yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su
"""
LANGUAGES = tuple(_CODES.split())  # what whisper's multilingual models know, as their tokenizer has it


@dataclass(frozen=True, slots=True)
class ShelvedModel:
    """A model on this machine, and whether it can be used.

    Attributes:
        id: what it is asked for by.
        folder: of a pulled one; None for one in packages.
        languages: "many", or a code.
        licence: of the weights.
        mib: on disk, about.
        problem: why it cannot be used; None when it can.
        packages: those that hold it -> the licence that each states itself, if any.
    """

    id: str
    folder: Path | None
    languages: str
    licence: str
    mib: int
    problem: str | None = None
    packages: Mapping[str, str | None] = field(default_factory=dict)


class ModelShelf:
    """All models on this machine, by id.

    Args:
        home: folder of pulled models, one folder each.
        cache: folder where packaged weights are joined.
        packaged: models in packages.
    """

    def __init__(self, home: Path, cache: Path, packaged: Sequence[PackagedModel] = PACKAGED) -> None:
        self.home, self._cache, self._packaged = home, cache, packaged
        sweep(home)  # what a process that died has left half removed

    def here(self) -> list[ShelvedModel]:
        """What is here: the default first, then packaged and pulled ones by name. A pulled one hides a packaged one."""
        found = {model.id: model for model in self._in_packages()} | {model.id: model for model in self._pulled()}
        return sorted(found.values(), key=lambda model: (model.id != DEFAULT, model.folder is not None, model.id))

    def models(self) -> list[RecognizerInfo]:
        """The same for the recognizer."""
        return [
            RecognizerInfo(
                model.id,
                LANGUAGES if model.languages == "many" else (model.languages,),
                ENGINE,
                translates=model.languages == "many",
                problem=model.problem,
            )
            for model in self.here()
        ]

    def folder(self, model_id: str, progress: Progress | None = None) -> Path:
        """The files of a model, every one of them checked.

        Raises:
            UnknownModel: If it is not here.
            ModelUnavailable: If it is damaged; the sentence says what helps.
        """
        if progress is not None:
            progress("checksums", 0.0)
        for path, listed in self._lists():
            if listed.model == model_id:
                verify(path, listed)
                return path
        for packaged in self._packaged:
            if packaged.name == model_id and packaged.is_here():
                return packaged.folder(self._cache)
        raise UnknownModel(model_id, [model.id for model in self.here()])

    def remove(self, model_id: str) -> None:
        """Delete a pulled model; who uses it goes on until it is unloaded.

        Raises:
            UnknownModel: If it is not here.
            ModelPackError: If it comes with a package, or cannot be deleted.
        """
        places = [path for path, listed in self._lists() if listed.model == model_id]
        if not places:
            if any(model.id == model_id for model in self.here()):
                raise ModelPackError(f"model '{model_id}' belongs to an installed package; pip removes it")
            raise UnknownModel(model_id, [model.id for model in self.here()])
        try:
            discard(places[0])
        except OSError as error:
            raise ModelPackError(f"model '{model_id}' cannot be deleted: {error.strerror}") from error

    def place_of(self, model_id: str) -> Path:
        """Where a pulled model lies, or would."""
        return self.home / model_id.replace("/", "--")

    def _in_packages(self) -> list[ShelvedModel]:
        return [
            ShelvedModel(known.name, None, known.languages, known.licence, known.mib, packages=packaged.stated())
            for packaged in self._packaged
            if packaged.is_here()
            for known in (CATALOGUE[packaged.name],)
        ]

    def _pulled(self) -> list[ShelvedModel]:
        return [
            ShelvedModel(
                listed.model,
                path,
                listed.languages,
                listed.licence,
                sum(size for size, _ in listed.files.values()) >> 20,
                _missing(path, listed),
            )
            for path, listed in self._lists()
        ]

    def _lists(self) -> list[tuple[Path, FileList]]:
        found = []
        for path in sorted(self.home.glob("[!.]*")):
            try:
                listed = read_list(path)
            except ModelUnavailable:
                continue
            if listed is not None:
                found.append((path, listed))
        return found


def _missing(folder: Path, listed: FileList) -> str | None:
    """A glance without checksums, for listings."""
    for name, (size, _) in listed.files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != size:
            return f"{name} is missing or damaged; `vivavoce models pull {listed.model}` repairs it"
    return None
