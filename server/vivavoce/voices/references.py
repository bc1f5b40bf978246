"""The reference clips of a voice: short recordings with their text, whose tone the voice takes on.

Three ways of writing them down are read: `prompt_wav.json` beside `prompt_wav/` (several named styles),
`reference/config.json` beside `reference/audio.wav` (one), and our own `voice.json`. Whatever a file says, only sound
files inside the pack's own folder are ever opened. Called by `pack.py`; knows nothing of weights.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vivavoce import languages
from vivavoce.errors import UnknownLanguage, VoicePackError

DEFAULT_STYLE = "Normal"
MAX_STYLE = 64  # characters of its name, which everybody sees in the lists
AUDIO_SUFFIXES = (".wav", ".flac", ".ogg")
MAX_JSON_BYTES = 1 << 20
MAX_TEXT = 1000  # code points; ten seconds of speech are about 60 Japanese or 200 Latin characters

LANGUAGES = ("en", "ja", "ko", "zh")
_SOVITS_NAMES = {"hybrid-chinese-english": "zh", "all_ja": "ja", "all_zh": "zh", "all_ko": "ko"}
_KANA = re.compile("[\u3041-\u30ff\uff66-\uff9f]")
_HANGUL = re.compile("[\uac00-\ud7a3\u1100-\u11ff]")
_HAN = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")
_LETTERS = {
    "en": re.compile("[A-Za-z\u00c0-\u024f]"),
    "ja": re.compile(f"{_KANA.pattern}|{_HAN.pattern}"),
    "ko": _HANGUL,
    "zh": _HAN,
}


@dataclass(frozen=True, slots=True)
class ReferenceClip:
    """A recording that a voice speaks after, and what is said in it.

    Attributes:
        path: .wav, .flac or .ogg, inside the pack.
        text: what is said in it.
        language: ISO 639-1 code of `text`: en, ja, ko or zh.
    """

    path: Path
    text: str
    language: str


def guess_language(text: str) -> str:
    """The language of the script `text` is in: kana means ja, hangul ko, Chinese characters alone zh, else en."""
    if _KANA.search(text):
        return "ja"
    if _HANGUL.search(text):
        return "ko"
    return "zh" if _HAN.search(text) else "en"


def language_code(name: str | None, text: str) -> str:
    """ISO 639-1 code of a language as people write it ("Japanese", "ja-JP"); guessed from `text` when unknown."""
    code = _code(name or "")
    return code if code is not None and code in LANGUAGES else guess_language(text)


def _fits(code: str, text: str) -> bool:
    """Whether a text can be in that language, by its letters."""
    return not text or (_LETTERS[code].search(text) is not None and not (code == "zh" and _KANA.search(text)))


def _code(name: str) -> str | None:
    """The code that a name means, "auto" where it leaves it to the text; None for no language of ours."""
    try:
        return _SOVITS_NAMES.get(name.strip().lower()) or languages.language_code(name)
    except UnknownLanguage:
        return None


def stated_language(name: str | None, text: str, where: str) -> str:
    """ISO 639-1 code of what a file says about its clip, which must agree with the text; guessed where it says nothing.

    A voice that takes its clip for another language speaks nonsense, in good health.

    Raises:
        VoicePackError: If the language is none that a voice can have, or the text has no letter of its script.
    """
    code = language_code(name, text)
    if name is not None and _code(name) is None:
        raise VoicePackError(f"{where}: the language '{name[:40]}' is none of {', '.join(LANGUAGES)}")
    if not _fits(code, text):
        raise VoicePackError(f"{where}: the language is '{code}', but the text is written in '{guess_language(text)}'")
    return code


def read_references(root: Path, models: Path, settings: Mapping[str, Any]) -> dict[str, ReferenceClip]:
    """The clips of the pack in `root`, by style; the first is the default. Empty where the pack names none.

    Args:
        root: the pack's folder.
        models: the folder of its weights; a bare folder may hold its clips there too.
        settings: contents of `voice.json`.

    Raises:
        VoicePackError: If a file is not what it should be; the sentence begins with its name.
    """
    language = text_field(settings, "language", "voice.json")
    found: dict[str, ReferenceClip] = {}
    if "references" in settings:
        found = _named(root, settings["references"], "voice.json", language)
    elif (root / "prompt_wav.json").is_file():
        entries = read_json(root / "prompt_wav.json")
        found = _named(root, entries, "prompt_wav.json", language)
    else:
        for folder in dict.fromkeys((root, models)):
            if (folder / "reference" / "config.json").is_file():
                found = {DEFAULT_STYLE: _single(root, folder / "reference", language)}
                break
    default = text_field(settings, "default", "voice.json") or DEFAULT_STYLE
    first = next((style for style in found if style.casefold() == default.casefold()), None)
    return found if first is None else {first: found[first], **found}


def read_json(path: Path) -> dict[str, Any]:
    """The object in a small JSON file.

    Raises:
        VoicePackError: If it is larger than 1 MiB, no JSON, or no object.
    """
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise VoicePackError(f"{path.name} is larger than {MAX_JSON_BYTES} bytes")
        content = json.loads(path.read_text("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise VoicePackError(f"{path.name} is not valid JSON: {error}") from error
    except OSError as error:
        raise VoicePackError(f"{path.name} cannot be read: {error.strerror}") from error
    if not isinstance(content, dict):
        raise VoicePackError(f"{path.name} does not hold a JSON object")
    return content


def text_field(entry: Mapping[str, Any], key: str, where: str) -> str | None:
    """The string under `key`, None when absent.

    Raises:
        VoicePackError: If it is there and no string.
    """
    value = entry.get(key)
    if value is not None and not isinstance(value, str):
        raise VoicePackError(f"{where}: '{key}' is not a text")
    return value


def _named(root: Path, entries: object, where: str, language: str | None) -> dict[str, ReferenceClip]:
    if not isinstance(entries, dict) or not entries:
        raise VoicePackError(f"{where} names no reference clip")
    for style in entries:
        if not (isinstance(style, str) and style.isprintable() and len(style) <= MAX_STYLE):
            raise VoicePackError(f"{where}: the name of a clip may have {MAX_STYLE} plain characters")
    return {style: _clip(root, entry, f"{where}, '{style}'", language) for style, entry in entries.items()}


def _clip(root: Path, entry: object, where: str, language: str | None) -> ReferenceClip:
    if not isinstance(entry, dict):
        raise VoicePackError(f"{where} is not an object with 'wav' and 'text'")
    wav = text_field(entry, "wav", where) or text_field(entry, "audio", where)
    if not wav:
        raise VoicePackError(f"{where} names no sound file")
    path = _inside(root, root / "prompt_wav" / wav) or _inside(root, root / wav)
    if path is None:
        raise VoicePackError(f"{where}: the sound file is missing or lies outside the pack")
    return _checked(path, entry, where, language)


def _single(root: Path, folder: Path, language: str | None) -> ReferenceClip:
    entry = read_json(folder / "config.json")
    for suffix in AUDIO_SUFFIXES:
        if (path := _inside(root, folder / f"audio{suffix}")) is not None:
            return _checked(path, entry, "reference/config.json", language)
    raise VoicePackError("reference/audio.wav is missing")


def _inside(root: Path, path: Path) -> Path | None:
    """`path` if it is a sound file inside `root` after all links and dots are followed; else None."""
    if path.suffix.lower() not in AUDIO_SUFFIXES or "\0" in str(path):
        return None
    resolved = path.resolve()
    return path if resolved.is_file() and resolved.is_relative_to(root.resolve()) else None


def _checked(path: Path, entry: Mapping[str, Any], where: str, language: str | None) -> ReferenceClip:
    text = (text_field(entry, "text", where) or "").strip()
    if len(text) > MAX_TEXT:
        raise VoicePackError(f"{where}: the text has {len(text)} characters; the limit is {MAX_TEXT}")
    if path.stat().st_size == 0:
        raise VoicePackError(f"{path.name} is empty")
    stated = text_field(entry, "language", where)
    if stated is None and language is not None and _fits(code := language_code(language, text), text):
        return ReferenceClip(path, text, code)  # the voice's own language; a clip may be in another
    return ReferenceClip(path, text, stated_language(stated, text, where))
