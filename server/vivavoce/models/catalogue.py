"""The models that are known by name: repository, revision, size and licence of each, and which name means which.

Names are those of Xinference's catalogue, which its clients launch by. Each is pulled in the form that this server
reads where somebody publishes it, and converted from the original otherwise. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from vivavoce.errors import UnknownModel

Form = Literal["ctranslate2", "transformers"]  # whether it is read as it is, or converted first
DEFAULT = "whisper-base"

# What OpenAI's clients ask for: the name says which shape of answer they expect, not which weights.
OPENAI_NAMES = (
    "whisper-1",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-transcribe-2025-12-15",
    "gpt-4o-transcribe-diarize",
    "gpt-transcribe",
    "gpt-live-transcribe",
    "gpt-realtime-whisper",
)
_MEANS_DEFAULT = frozenset({"", "auto", "default", "whisper", *OPENAI_NAMES})  # Azure's usual deployment is "whisper"


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model of the catalogue.

    Attributes:
        name: what it is asked for by.
        repository, revision: on Hugging Face; the revision is a commit.
        form: of the files there.
        mib: what it takes on disk here, about.
        licence: of the weights.
        languages: "many", or the ISO 639-1 code of the only one it was made for.
    """

    name: str
    repository: str
    revision: str
    form: Form
    mib: int
    licence: str = "MIT"
    languages: str = "many"


_SYSTRAN = "Systran/faster-whisper"

CATALOGUE: Mapping[str, KnownModel] = MappingProxyType({
    model.name: model
    for model in (
        KnownModel("whisper-tiny", f"{_SYSTRAN}-tiny", "d90ca5fe260221311c53c58e660288d3deb8d356", "ctranslate2", 75),
        KnownModel("whisper-tiny.en", f"{_SYSTRAN}-tiny.en", "0d3d19a32d3338f10357c0889762bd8d64bbdeba", "ctranslate2",
                   75, languages="en"),
        KnownModel("whisper-base", f"{_SYSTRAN}-base", "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66", "ctranslate2", 141),
        KnownModel("whisper-base.en", f"{_SYSTRAN}-base.en", "3d3d5dee26484f91867d81cb899cfcf72b96be6c", "ctranslate2",
                   141, languages="en"),
        KnownModel("whisper-small", f"{_SYSTRAN}-small", "536b0662742c02347bc0e980a01041f333bce120", "ctranslate2",
                   464),
        KnownModel("whisper-small.en", f"{_SYSTRAN}-small.en", "d1d751a5f8271d482d14ca55d9e2deeebbae577f",
                   "ctranslate2", 464, languages="en"),
        KnownModel("whisper-medium", f"{_SYSTRAN}-medium", "08e178d48790749d25932bbc082711ddcfdfbc4f", "ctranslate2",
                   1460),
        KnownModel("whisper-medium.en", f"{_SYSTRAN}-medium.en", "a29b04bd15381511a9af671baec01072039215e3",
                   "ctranslate2", 1460, languages="en"),
        KnownModel("whisper-large-v3", f"{_SYSTRAN}-large-v3", "edaa852ec7e145841d8ffdb056a99866b5f0a478",
                   "ctranslate2", 2948),
        KnownModel("whisper-large-v3-turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
                   "0a363e9161cbc7ed1431c9597a8ceaf0c4f78fcf", "ctranslate2", 1546),
        KnownModel("Belle-distilwhisper-large-v2-zh", "BELLE-2/Belle-distilwhisper-large-v2-zh",
                   "ed25d13498fa5bac758b2fc479435b698532dfe8", "transformers", 1446, "Apache-2.0", "zh"),
        KnownModel("Belle-whisper-large-v2-zh", "BELLE-2/Belle-whisper-large-v2-zh",
                   "ec5bd5d78598545b7585814edde86dac2002b5b9", "transformers", 2948, "Apache-2.0", "zh"),
        KnownModel("Belle-whisper-large-v3-zh", "BELLE-2/Belle-whisper-large-v3-zh",
                   "3bebc7247696b39f5ab9ed22db426943ac33f600", "transformers", 2948, "Apache-2.0", "zh"),
    )
})  # fmt: skip


def means_default(asked: str | None) -> bool:
    """Whether a client's word means no model in particular."""
    return (asked or "").strip().lower().removeprefix("openai/") in _MEANS_DEFAULT


def resolve(asked: str | None, here: Iterable[str]) -> str:
    """The id of the model that a request means.

    OpenAI's names, and no name at all, mean the default: whisper-base, or the first there is where it is missing. A
    whisper name means itself, in any case, with or without "whisper-" in front, and so does a repository it comes from.

    Args:
        asked: as the request has it.
        here: ids of the models that are on this machine.

    Raises:
        UnknownModel: If it is none of them; the sentence names them, and the command that brings a known one.
    """
    ids = list(here)
    name = (asked or "").strip()
    if means_default(name):
        if DEFAULT in ids or not ids:
            return _present(DEFAULT, ids)
        return ids[0]
    by_name = {identity.lower(): identity for identity in ids}
    for candidate in _meanings(name.lower()):
        if candidate.lower() in by_name:
            return by_name[candidate.lower()]
    return _present(next((m for m in _meanings(name.lower()) if m in CATALOGUE), name), ids)


def is_name(asked: str, here: Iterable[str]) -> bool:
    """Whether a word means a model that listens, of this machine or of the catalogue."""
    try:
        return means_default(asked) or resolve(asked, [*here, *CATALOGUE]) != ""
    except UnknownModel:
        return False


def _present(name: str, ids: list[str]) -> str:
    if name in ids:
        return name
    error = UnknownModel(name, [*ids, *OPENAI_NAMES[:2]])
    if name in CATALOGUE:
        error.message += f"; `vivavoce models pull {name}` brings it"
        error.args = (error.message,)
    raise error


def _meanings(name: str) -> list[str]:
    """Ids that a name in lower case may mean, the likeliest first."""
    known = {model.lower(): model for model in CATALOGUE}
    repositories = {model.repository.lower(): model.name for model in CATALOGUE.values()}
    plain = name.removeprefix("openai/").removeprefix("systran/").removeprefix("faster-")
    spelled = [
        plain,
        f"whisper-{plain}",
        {"turbo": "whisper-large-v3-turbo", "large": "whisper-large-v3"}.get(plain, ""),
    ]
    found = [repositories.get(name), *(known.get(word) for word in spelled)]
    return [name, *(meaning for meaning in found if meaning)]
