"""Who speaks: what a request's `voice` and `model` mean together, among the voices there are. Pure.

The one answer for every door, in this order:

    1. a voice of this server named in `voice` speaks, in the style named after its slash;
    2. else a voice named in `model`: some clients allow no other place for it;
    3. else what the settings say an OpenAI name means (`voice_map`);
    4. else the first voice that can speak of an engine named in `model`;
    5. else the default voice; where no voice can speak, the first one, which is refused with its reason.

Names mean the same in any case. Called by `voice_library.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from vivavoce.engines.speech import VoiceInfo
from vivavoce.errors import UnknownModel, UnknownVoice
from vivavoce.synthesis.speaker import ResolvedVoice

# OpenAI's own voices: clients send them because their forms offer nothing else.
OPENAI_VOICES: Final = frozenset(
    "alloy ash ballad coral echo fable onyx nova sage shimmer verse marin cedar".split()  # noqa: SIM905
)

# Model names of OpenAI that stand for "whatever this server speaks with": those that lists show, and their like.
OPENAI_MODELS: Final = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
_OPENAI_MODEL: Final = re.compile(r"tts-.+|gpt-.*-tts(-.*)?|gpt-audio.*")  # dated ones, and what comes next year
DEFAULT: Final = "default"
OURSELVES: Final = "vivavoce"


@dataclass(frozen=True, slots=True)
class VoiceNames:
    """What names mean besides the voices' own.

    Attributes:
        aliases: name in lower case -> voice, `id` or `id/Style`.
        engines: names that may stand in `model`.
    """

    aliases: Mapping[str, str] = field(default_factory=dict)
    engines: tuple[str, ...] = ()


def choose(
    voices: Sequence[VoiceInfo],
    voice: str | None = None,
    model: str | None = None,
    *,
    default: str | None,
    names: VoiceNames = VoiceNames(),  # frozen
) -> ResolvedVoice:
    """Who speaks where a request names this voice and this model; None and blank are "not said".

    Args:
        voices: all there are.
        default: id of the one that speaks where none is named.

    Raises:
        UnknownVoice: If `voice` is neither a voice of this server nor an alias, or it has no such style.
        UnknownModel: If `model` is neither a voice, an engine nor a model of OpenAI.
    """
    known = {each.id: each for each in voices}
    wanted, asked = _folded(voice), _of_openai(_folded(model))
    if asked and not (_id(asked) in known or asked in names.engines or is_openai_model(asked)):
        raise UnknownModel(model or "", [*OPENAI_MODELS, *names.engines, *known])
    if _id(wanted) in known:
        return _resolved(known, wanted)
    if _id(asked) in known:
        return _resolved(known, asked)
    if wanted in names.aliases:
        return _resolved(known, _folded(names.aliases[wanted]))
    if wanted and wanted != DEFAULT and wanted not in OPENAI_VOICES:
        raise UnknownVoice(voice or "", known)
    of_engine = next((each for each in voices if each.engine == asked and each.problem is None), None)
    if of_engine is not None:
        return ResolvedVoice(of_engine)
    # Where none can speak, the first of them says why.
    return _resolved(known, default or next(iter(known), DEFAULT))


def default_of(voices: Sequence[VoiceInfo], wanted: str | None) -> str | None:
    """Id of the voice that speaks where none is named: the configured one while it can, else the first that can."""
    able = [each.id for each in voices if each.problem is None]
    return wanted if wanted in able else next(iter(able), None)


def is_openai_model(name: str) -> bool:
    """True for names, in lower case, that stand for whatever this server speaks with."""
    return name == OURSELVES or _OPENAI_MODEL.fullmatch(name) is not None


def names_voice(model: str | None, engines: Collection[str]) -> bool:
    """Whether a `model` that `choose` took is a voice's own name, whichever voice then speaks."""
    asked = _of_openai(_folded(model))
    return asked != "" and asked not in engines and not is_openai_model(asked)


def _resolved(known: Mapping[str, VoiceInfo], name: str) -> ResolvedVoice:
    """A voice by its own name.

    Raises:
        UnknownVoice: If there is no such voice, or it has no such style.
    """
    voice_id, slash, reference = name.partition("/")
    info = known.get(voice_id)
    if info is None:
        raise UnknownVoice(name, known)
    if not slash:
        return ResolvedVoice(info)
    for style in info.references:
        if style.casefold() == reference:
            return ResolvedVoice(info, style)
    raise UnknownVoice(name, [f"{info.id}/{style}" for style in info.references])


def _folded(name: str | None) -> str:
    """A name as it is compared: ids are in lower case."""
    return (name or "").strip().casefold()


def _of_openai(model: str) -> str:
    """Routers of models write the maker in front: "openai/tts-1"."""
    plain = model.removeprefix("openai/")
    return plain if is_openai_model(plain) else model


def _id(name: str) -> str:
    """The voice's part of "mika/Sad"."""
    return name.partition("/")[0]
