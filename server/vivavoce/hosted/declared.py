"""What the settings say of one model on another machine: `NAME=KIND ADDRESS field=value ...`. Pure.

The operator wrote it, so its address may be private and plain HTTP; what strangers write may not be either
(`addresses.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from vivavoce.hosted.addresses import AddressRefused, Target, model_url

Kind = Literal["huggingface", "openai"]
ENGINE = "hosted"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Declared:
    """One entry of the settings that declare models elsewhere.

    Attributes:
        address: where its server is, without a slash at its end.
        fields: what was said besides.
    """

    name: str
    kind: Kind
    address: str
    fields: Mapping[str, str]

    @classmethod
    def read(cls, entry: str, known: Sequence[str]) -> Declared:
        """Check one entry of the setting.

        Args:
            known: fields that may be said.

        Raises:
            ValueError: If it is written wrongly.
        """
        name, _, rest = entry.partition("=")
        name, words = name.strip(), rest.split()
        if not _NAME.fullmatch(name):
            raise ValueError("write NAME=KIND ADDRESS; a name has small letters, digits, - and _")
        if len(words) < 2 or words[0] not in ("huggingface", "openai"):
            raise ValueError(f"'{name}' must be followed by `huggingface` or `openai` and an address")
        fields = dict(word.partition("=")[::2] for word in words[2:])
        if unknown := fields.keys() - set(known):
            raise ValueError(f"'{name}' has an unknown field '{min(unknown)}'; known: {', '.join(known)}")
        kind: Kind = "openai" if words[0] == "openai" else "huggingface"
        return cls(name, kind, _address(name, kind, words[1]), fields)

    def target(self, path: str = "") -> Target:
        """The address that a request for it is sent to.

        Args:
            path: behind the address of an OpenAI-compatible server.
        """
        parts = urlsplit(self.address)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        assert parts.hostname is not None
        return Target(self.address + (path if self.kind == "openai" else ""), parts.hostname.casefold(), port)

    def token(self, tokens: Mapping[str, str]) -> str | None:
        """The one for its host, by `host` or `host:port`."""
        target = self.target()
        return tokens.get(target.host if target.port in (80, 443) else f"{target.host}:{target.port}")

    def flag(self, name: str) -> bool:
        """A field that says yes or no; no where it is absent.

        Raises:
            ValueError: If it says something else.
        """
        value = self.fields.get(name, "no")
        if value not in ("yes", "no"):
            raise ValueError(f"'{self.name}': {name} is yes or no")
        return value == "yes"


def check_names(names: Sequence[str], what: str) -> None:
    """Each of them is given once.

    Raises:
        ValueError: If two share a name.
    """
    if len(set(names)) < len(names):
        raise ValueError(f"two {what} share a name")


def _address(name: str, kind: Kind, address: str) -> str:
    if kind == "huggingface" and "://" not in address:
        try:
            address = model_url(address)
        except AddressRefused as error:
            raise ValueError(f"'{name}': {error.message}") from None
    try:
        parts = urlsplit(address)
        _ = parts.port  # a number, or it raises
    except ValueError:
        raise ValueError(f"'{name}' has an address that is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError(f"'{name}' needs an address that begins with http:// or https://, without a user name")
    return address.rstrip("/")
