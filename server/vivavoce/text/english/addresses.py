"""Addresses: web, e-mail, version and network numbers."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.numerals import cardinal, digits
from vivavoce.text.english.rule import Rule, rule

_TOP_LEVEL: Final = ("com|org|net|io|dev|ai|edu|gov|app|info|me|tv|co|uk|us|eu|de|fr|es|it|nl|ch|jp|cn|kr|tw|in|ca|au|"
                     "blog|cloud|tech|online|site|xyz|wiki|moe")  # fmt: skip
_LONG_PATH: Final = 60  # code points; nobody wants to hear a longer one, so only its host is said

_MARKS: Final = {".": "dot", "/": "slash", "-": "dash", "_": "underscore", "@": "at", "+": "plus", "=": "equals",
                 "&": "and", "?": "question mark", "#": "hash", ":": "colon", "~": "tilde", "%": "percent",
                 "\\": "backslash", "$": "dollars"}  # fmt: skip


def _marks_by_name(text: str) -> str:
    return " ".join(re.sub(r"[^A-Za-z0-9\u0080-\uffff]", lambda mark: f" {_MARKS.get(mark[0], '')} ", text).split())


def _url(found: re.Match[str]) -> str:
    address = found[0].rstrip(".,;:!?'\")]*")
    tail = found[0][len(address) :]
    address = re.sub(r"^[A-Za-z]+://", "", address).rstrip("/")
    address = re.split(r"[?#]", address)[0].rstrip("/")
    host, _, path = address.partition("/")
    if len(path) > _LONG_PATH:
        address = host
    spoken = _marks_by_name(re.sub(r"(?i)^www\.", "w w w.", address))
    return f" {spoken}{tail}"


def _file(found: re.Match[str]) -> str:
    written = found[0].rstrip(".")
    return f" {_marks_by_name(written)}{found[0][len(written) :]}"


def _with_port(found: re.Match[str]) -> str:
    host = " dot ".join(cardinal(int(part)) for part in found[1].split(".")) if found[1][0].isdecimal() else found[1]
    return f"{host} port {cardinal(int(found[2]))}"


def _email(found: re.Match[str]) -> str:
    return f" {_marks_by_name(found[0])} "


def _version(found: re.Match[str]) -> str:
    parts = found[0].lstrip("vV").split(".")
    joint = " dot " if len(parts) == 4 else " point "
    spoken = joint.join(digits(part) if len(part) > 4 or (part[0] == "0" and part != "0") else cardinal(int(part))
                        for part in parts)  # fmt: skip
    return f" version {spoken}" if found[0][0] in "vV" else f" {spoken}"


WEB: Final[tuple[Rule, ...]] = (
    rule(r"(?<=#include )<([\w./+-]{1,60})>", r"\1"),
    rule(r"(?<![\w.:/])((?:\d{1,3}\.){3}\d{1,3}|localhost):(\d{2,5})(?![\w:.]\w|\w)", _with_port),
    rule(r"(?<!\w)[A-Za-z]:\\[^\s<>\"|?*]{0,200}", _file),
    rule(r"(?<![\w.\"'])(?:~|\.{1,2})/[\w./~-]{1,200}", _file),
    rule(r"(?<![\w.+-])[a-z]{1,16}@(?:[A-Za-z0-9-]{1,63}+\.){1,6}[a-z]{2,24}:[\w./~-]{1,200}", _file),
    rule(r"(?<![\w.+-])[A-Za-z0-9_.+-]{1,64}+@(?:[A-Za-z0-9-]{1,63}+\.){1,6}[A-Za-z]{2,24}(?![\w])", _email),
    rule(
        r"(?i)(?<!\w)(?:https?|ftps?|sftp|wss?|s3|gs|git|ssh|file|hf|redis|rediss|postgres|postgresql|mysql|mongodb|docker|ipfs|magnet|app)://[^\s<>\"]++|(?<![\w.@/])www\.[^\s<>\"]++",
        _url,
    ),
    rule(rf"(?<![\w@./-])(?:[A-Za-z0-9-]{{1,63}}+\.){{1,6}}(?:{_TOP_LEVEL})(?![\w-])(?!\.\w)(?:/[^\s<>\"]*+)?", _url),
)

VERSIONS: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\w.,])[vV]\d{1,15}+(?:\.\d{1,15}+)*+(?!\w)", _version),
    rule(r"(?<![\d.,])\d{1,15}+(?:\.\d{1,15}+){2,}+", _version),
)
