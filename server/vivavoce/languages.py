"""Languages by the names and tags people write for them: "en-US", "English", "zh_Hans", "日本語".

Told apart where a request comes in, so that the rest of the house knows ISO 639-1 codes and "auto" alone.
"""

from __future__ import annotations

import re
from typing import Final

from vivavoce.errors import UnknownLanguage

AUTO: Final = "auto"
LANGUAGES: Final = ("en", "ja", "ko", "zh")

_NAMES: Final[dict[str, str]] = {
    **dict.fromkeys(("en", "eng", "english"), "en"),
    **dict.fromkeys(("zh", "zho", "chi", "cmn", "cn", "chinese", "mandarin", "中文", "汉语", "漢語", "普通话"), "zh"),
    **dict.fromkeys(("ja", "jpn", "jp", "japanese", "日本語"), "ja"),
    **dict.fromkeys(("ko", "kor", "kr", "korean", "한국어"), "ko"),
    **dict.fromkeys(("", "auto", "automatic", "detect", "auto-detect", "none", "null", "default"), AUTO),
}
_REGION: Final = re.compile(r"(?<=\w)[ ]?\([^()]{1,40}\)\Z|\.utf-?8\Z")  # English (US), en_US.UTF-8
_SUBTAGS: Final = re.compile(r"([^\W\d_]+)(?:[-_][A-Za-z0-9]{2,8}){1,4}")


def language_code(written: str, *, param: str = "language") -> str:
    """The ISO 639-1 code that a name or tag means, in any case; "auto" where the text is to tell.

    Raises:
        UnknownLanguage: If it means no language that is spoken here.
    """
    name = _REGION.sub("", written.strip().casefold())
    if (code := _NAMES.get(name)) is not None:
        return code
    tag = _SUBTAGS.fullmatch(name)
    if tag is not None and (code := _NAMES.get(tag[1])) is not None:
        return code
    raise UnknownLanguage(written, (AUTO, *LANGUAGES), param=param)
