"""The languages that are understood, by the names and tags people write for them: "en-US", "Portuguese", "deutsch".

The English names are those of whisper's own table, which OpenAI's verbose answers use. Pure; called where a request
comes in, so that the rest of the house knows ISO 639-1 codes alone.
"""

from __future__ import annotations

import re
from typing import Final

from vivavoce.errors import UnknownLanguage

NAMES: Final[dict[str, str]] = {
    "en": "english", "zh": "chinese", "de": "german", "es": "spanish", "ru": "russian", "ko": "korean",
    "fr": "french", "ja": "japanese", "pt": "portuguese", "tr": "turkish", "pl": "polish", "ca": "catalan",
    "nl": "dutch", "ar": "arabic", "sv": "swedish", "it": "italian", "id": "indonesian", "hi": "hindi",
    "fi": "finnish", "vi": "vietnamese", "he": "hebrew", "uk": "ukrainian", "el": "greek", "ms": "malay",
    "cs": "czech", "ro": "romanian", "da": "danish", "hu": "hungarian", "ta": "tamil", "no": "norwegian",
    "th": "thai", "ur": "urdu", "hr": "croatian", "bg": "bulgarian", "lt": "lithuanian", "la": "latin",
    "mi": "maori", "ml": "malayalam", "cy": "welsh", "sk": "slovak", "te": "telugu", "fa": "persian",
    "lv": "latvian", "bn": "bengali", "sr": "serbian", "az": "azerbaijani", "sl": "slovenian", "kn": "kannada",
    "et": "estonian", "mk": "macedonian", "br": "breton", "eu": "basque", "is": "icelandic", "hy": "armenian",
    "ne": "nepali", "mn": "mongolian", "bs": "bosnian", "kk": "kazakh", "sq": "albanian", "sw": "swahili",
    "gl": "galician", "mr": "marathi", "pa": "punjabi", "si": "sinhala", "km": "khmer", "sn": "shona",
    "yo": "yoruba", "so": "somali", "af": "afrikaans", "oc": "occitan", "ka": "georgian", "be": "belarusian",
    "tg": "tajik", "sd": "sindhi", "gu": "gujarati", "am": "amharic", "yi": "yiddish", "lo": "lao", "uz": "uzbek",
    "fo": "faroese", "ht": "haitian creole", "ps": "pashto", "tk": "turkmen", "nn": "nynorsk", "mt": "maltese",
    "sa": "sanskrit", "lb": "luxembourgish", "my": "myanmar", "bo": "tibetan", "tl": "tagalog", "mg": "malagasy",
    "as": "assamese", "tt": "tatar", "haw": "hawaiian", "ln": "lingala", "ha": "hausa", "ba": "bashkir",
    "jw": "javanese", "su": "sundanese", "yue": "cantonese",
}  # fmt: skip

_ALSO: Final[dict[str, str]] = {
    # ISO 639-2 and what speakers and other programs call them
    "eng": "en", "zho": "zh", "chi": "zh", "cmn": "zh", "mandarin": "zh", "中文": "zh", "汉语": "zh", "普通话": "zh",
    "deu": "de", "ger": "de", "deutsch": "de", "spa": "es", "castilian": "es", "español": "es", "rus": "ru",
    "русский": "ru", "kor": "ko", "kr": "ko", "한국어": "ko", "fra": "fr", "fre": "fr", "français": "fr",
    "jpn": "ja", "jp": "ja", "日本語": "ja", "por": "pt", "português": "pt", "tur": "tr", "pol": "pl", "polski": "pl",
    "cat": "ca", "valencian": "ca", "nld": "nl", "dut": "nl", "flemish": "nl", "nederlands": "nl", "ara": "ar",
    "العربية": "ar", "swe": "sv", "svenska": "sv", "ita": "it", "italiano": "it", "ind": "id", "hin": "hi",
    "हिन्दी": "hi", "fin": "fi", "suomi": "fi", "vie": "vi", "heb": "he", "iw": "he", "ukr": "uk", "українська": "uk",
    "ell": "el", "gre": "el", "msa": "ms", "may": "ms", "ces": "cs", "cze": "cs", "ron": "ro", "rum": "ro",
    "moldavian": "ro", "moldovan": "ro", "dan": "da", "dansk": "da", "hun": "hu", "magyar": "hu", "tam": "ta",
    "nor": "no", "nb": "no", "nob": "no", "bokmål": "no", "norsk": "no", "tha": "th", "urd": "ur", "hrv": "hr",
    "bul": "bg", "lit": "lt", "lat": "la", "cym": "cy", "slk": "sk", "slo": "sk", "tel": "te", "fas": "fa",
    "per": "fa", "farsi": "fa", "lav": "lv", "ben": "bn", "srp": "sr", "slv": "sl", "est": "et", "eus": "eu",
    "isl": "is", "ice": "is", "swa": "sw", "afr": "af", "panjabi": "pa", "sinhalese": "si", "pushto": "ps",
    "letzeburgesch": "lb", "burmese": "my", "haitian": "ht", "jv": "jw", "filipino": "tl", "fil": "tl",
}  # fmt: skip
_BY_NAME: Final[dict[str, str]] = {name: code for code, name in NAMES.items()} | _ALSO
_DETECTED: Final = frozenset({"", "auto", "automatic", "detect", "auto-detect", "none", "null", "default", "multi"})
_REGION: Final = re.compile(r"(?<=\w)[ ]?\([^()]{1,40}\)\Z|\.utf-?8\Z")  # English (US), en_US.UTF-8
_SUBTAGS: Final = re.compile(r"([^\W\d_]+)(?:[-_][A-Za-z0-9]{2,8}){1,4}")


def heard_language(written: str, *, param: str = "language") -> str | None:
    """The code that a name or tag means, in any case; None where it is to be detected.

    Raises:
        UnknownLanguage: If it means no language that anything here understands.
    """
    name = _REGION.sub("", written.strip().casefold())
    if name in _DETECTED:
        return None
    if (code := _code(name)) is not None:
        return code
    tag = _SUBTAGS.fullmatch(name)
    if tag is not None and (code := _code(tag[1])) is not None:
        return code
    raise UnknownLanguage(written, ("auto", *NAMES), param=param)


def name_of(code: str) -> str:
    """The English name in lower case; the code itself where it has none."""
    return NAMES.get(code, code)


def _code(name: str) -> str | None:
    return name if name in NAMES else _BY_NAME.get(name)
