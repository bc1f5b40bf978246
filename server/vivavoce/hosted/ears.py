"""Recognition models on other machines as the settings declare them. Pure.

NAME=huggingface openai/whisper-large-v3
NAME=huggingface https://abc.endpoints.huggingface.cloud language=en+de words=yes
NAME=openai http://10.0.0.5:7860/v1 model=whisper-base words=yes translate=yes
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vivavoce.engines.recognizer import RecognizerInfo
from vivavoce.errors import UnknownLanguage
from vivavoce.hosted.addresses import Target
from vivavoce.hosted.declared import ENGINE, Declared, Kind, check_names
from vivavoce.recognition.language_names import NAMES, heard_language


@dataclass(frozen=True, slots=True)
class HostedEar:
    """A recognition model elsewhere, as the settings declare it.

    Attributes:
        kind: how its server is asked.
        target, translating: where, for words and for English ones.
        model: its name there; None: not sent.
        words: whether its server tells when each word was said.
        token: for that host.
    """

    info: RecognizerInfo
    kind: Kind
    target: Target
    translating: Target
    model: str | None = None
    words: bool = False
    token: str | None = field(default=None, repr=False)


def declared_ears(
    entries: tuple[str, ...], tokens: Mapping[str, str], *, problem: str | None = None
) -> tuple[HostedEar, ...]:
    """The models of the setting.

    Args:
        tokens: `host` or `host:port` -> token.
        problem: why none of them can hear now; None when they can.

    Raises:
        ValueError: If one is written wrongly, or two share a name.
    """
    ears = tuple(_ear(entry, tokens, problem) for entry in entries)
    check_names([ear.info.id for ear in ears], "models")
    return ears


def _ear(entry: str, tokens: Mapping[str, str], problem: str | None) -> HostedEar:
    said = Declared.read(entry, ("model", "language", "words", "translate"))
    translates = said.flag("translate")
    if translates and said.kind != "openai":
        raise ValueError(f"'{said.name}': only a server that speaks like OpenAI's is asked to translate")
    info = RecognizerInfo(said.name, _languages(said), ENGINE, translates, problem)
    return HostedEar(
        info,
        said.kind,
        said.target("/audio/transcriptions"),
        said.target("/audio/translations"),
        said.fields.get("model"),
        said.flag("words"),
        said.token(tokens),
    )


def _languages(said: Declared) -> tuple[str, ...]:
    """Codes; every language that has a name where none is said."""
    written = said.fields.get("language")
    if written is None:
        return tuple(NAMES)
    try:
        codes = [heard_language(each) for each in written.split("+")]
    except UnknownLanguage as error:
        raise ValueError(f"'{said.name}': {error.message}") from None
    if None in codes:
        raise ValueError(f"'{said.name}': languages are named, joined by +")
    return tuple(code for code in codes if code)
