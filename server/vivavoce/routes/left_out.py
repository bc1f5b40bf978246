"""What a voice has left out of a text, told over HTTP: a header on every answer, an event among server-sent ones.

Pure. Called by `speech_response.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from vivavoce.synthesis.speaker import Unspoken

MAX_HEADER = 1024  # bytes: proxies refuse what is much longer
MORE = "..."  # stands last where not everything fits


def unspoken_header(parts: Sequence[Unspoken]) -> bytes | None:
    """The value of `x-unspoken`: the parts as written, percent-encoded in UTF-8, with `, ` between them.

    Returns:
        At most `MAX_HEADER` bytes of ASCII; None where nothing was left out.
    """
    if not parts:
        return None
    words: list[str] = []
    left = MAX_HEADER - len(MORE)
    for part in parts:
        word, whole = _as_far_as_it_fits(part.text, left)
        if word:
            words.append(word)
        left -= len(word) + len(", ")
        if not whole:
            words.append(MORE)
            break
    return ", ".join(words).encode("ascii")


def unspoken_event(parts: Sequence[Unspoken]) -> dict[str, Any]:
    """The fields of `speech.audio.unspoken`; `characters` are the code points [from, to) of the input."""
    return {
        "parts": [{"text": part.text, "characters": [part.start, part.start + len(part.text)]} for part in parts],
    }


def _as_far_as_it_fits(text: str, length: int) -> tuple[str, bool]:
    """(the text percent-encoded and cut between two characters, whether that is all of it)."""
    encoded = ""
    for char in text:
        more = quote(char, safe="", errors="replace")
        if len(encoded) + len(more) + len(", ") > length:
            return encoded, False
        encoded += more
    return encoded, True
