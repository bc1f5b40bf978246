"""Who may call: API keys, Host and Origin. Checked before a route runs and before a WebSocket is accepted.

Keys are kept as SHA-256 digests and compared in constant time; what travels on is an owner, a short hash that names a
key in the admission's books without being one. Where no key is asked for, callers are told apart by their addresses,
for what each may have of a bounded thing. Called by `gate.py` and by the live routes.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import time
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from vivavoce.config import AccessSettings
from vivavoce.errors import ConfigError, ForbiddenOrigin, InvalidKey
from vivavoce.metrics import Metrics
from vivavoce.serving.credentials import Credential
from vivavoce.serving.entries import Entry
from vivavoce.serving.shares import SHARE
from vivavoce.serving.tokens import TokenStore

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
ANONYMOUS = "anonymous"


class Access:
    """Decides who may call, by Host, Origin and credential.

    Args:
        key_digests: SHA-256 of each key; none: everybody may call.
        hosts: Host names answered; `*` answers all. None: those of this machine, and addresses: a page that was
            rebound to this server comes by name.
        origins: Origins of other sites' pages that may call; `*` allows all.
        from_anywhere: other machines reach it.

    Attributes:
        tokens: single-use stand-ins for a key, issued for web pages.
    """

    def __init__(
        self,
        *,
        key_digests: Iterable[bytes],
        hosts: Iterable[str] | None,
        origins: Iterable[str],
        metrics: Metrics,
        from_anywhere: bool = False,
    ) -> None:
        self._digests = tuple(key_digests)
        self._from_anywhere = from_anywhere
        self._hosts = None if hosts is None else frozenset(h.casefold() for h in hosts)
        self._origins = frozenset(o.casefold().rstrip("/") for o in origins)
        self._metrics = metrics
        self.tokens = TokenStore()

    @classmethod
    def from_settings(cls, settings: AccessSettings, host: str, metrics: Metrics) -> Access:
        """The door of a server that listens on `host`.

        Raises:
            ConfigError: If the file of keys cannot be read, or the server would be open to the network without a key.
        """
        digests = [hashlib.sha256(key.encode()).digest() for key in settings.api_keys]
        if settings.api_keys_file is not None:
            digests += _read_digests(settings)
        if settings.wants_keys and not digests:
            raise ConfigError("keys were asked for, and none was found; refusing to serve everybody")
        loopback = is_loopback(host)
        if not loopback and not digests and not settings.allow_anonymous:
            raise ConfigError(
                f"refusing to listen on {host} without API keys: set VIVAVOCE_API_KEYS, or pass "
                "--allow-anonymous if everybody who reaches this port may use it"
            )
        named = set(settings.allowed_hosts)
        return cls(
            key_digests=digests,
            hosts=named | LOOPBACK_NAMES | {host} if loopback or named else None,
            origins=settings.allowed_origins,
            metrics=metrics,
            from_anywhere=not loopback,
        )

    @property
    def needs_key(self) -> bool:
        """True when a key is asked for."""
        return bool(self._digests)

    @property
    def share(self) -> float:
        """Of the machine, what one owner may have: all of it where owners cannot be told apart."""
        return SHARE if len(set(self._digests)) > 1 else 1.0

    @property
    def share_of_connections(self) -> float:
        """Of connections, calls and recordings, which there are more of than the machine carries at once: what one
        owner may have, or one address where strangers call without a key.
        """
        return SHARE if self._from_anywhere and not self._digests else self.share

    def check_site(self, headers: Mapping[str, str]) -> None:
        """Refuse foreign Host and Origin headers (DNS rebinding, cross-site pages).

        Args:
            headers: names in lower case.

        Raises:
            ForbiddenOrigin: If either is not ours.
        """
        host = headers.get("host", "")
        if not self._serves(_host_name(host)):
            self._metrics.auth_failures.labels("host").inc()
            raise ForbiddenOrigin("this Host is not served here; name it in the setting allowed_hosts")
        origin = headers.get("origin")
        if origin is None or "*" in self._origins:
            return
        if (_place_of(origin) or "no place") != host.casefold() and origin.casefold() not in self._origins:
            self._metrics.auth_failures.labels("origin").inc()
            raise ForbiddenOrigin("pages of this origin may not call; see the setting allowed_origins")

    def _serves(self, name: str) -> bool:
        if self._hosts is None:
            return name in LOOPBACK_NAMES or _is_address(name)
        return "*" in self._hosts or name in self._hosts

    def owner(self, credential: Credential | None, entry: Entry = Entry.KEY) -> str:
        """Whose call this is: a short hash of its key.

        Args:
            credential: what the caller shows.
            entry: what the route asks for.

        Raises:
            InvalidKey: If a key is asked for and this is none, or it opens other routes than this.
        """
        if not self._digests:
            return ANONYMOUS
        if credential is None:
            self._metrics.auth_failures.labels("missing").inc()
            raise InvalidKey
        if credential.is_token:
            return self._owner_of_token(credential, entry)
        digest = hashlib.sha256(credential.value.encode("utf-8", "replace")).digest()
        if not _any_equal(digest, self._digests):
            self._metrics.auth_failures.labels("key").inc()
            raise InvalidKey
        return digest.hex()[:16]

    def _owner_of_token(self, credential: Credential, entry: Entry) -> str:
        now = time.monotonic()
        if not credential.may_enter(entry):
            self._metrics.auth_failures.labels("token").inc()
            raise InvalidKey("a token opens a live connection and nothing else")
        spent = credential.is_spent_by(entry)
        owner = self.tokens.redeem(credential.value, now) if spent else self.tokens.owner(credential.value, now)
        if owner is None:
            self._metrics.auth_failures.labels("token").inc()
            raise InvalidKey("this token is used up or too old")
        return owner


def client_of(owner: str, address: str) -> str:
    """Who has a share of what is bounded: a key, or where none is asked for an address; of IPv6 its network, for one
    household has 2^64 addresses.
    """
    if owner != ANONYMOUS:
        return owner
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return owner
    if isinstance(known, ipaddress.IPv6Address):
        known = known.ipv4_mapped or ipaddress.ip_address(int(known) >> 64 << 64)
    return f"{owner} {known}"


def is_loopback(host: str) -> bool:
    """True for addresses that only this machine reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.casefold() == "localhost"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _place_of(origin: str) -> str:
    """Host and port of an Origin header; empty where it has none or is no address at all."""
    try:
        return urlsplit(origin).netloc.casefold()
    except ValueError:
        return ""


def _any_equal(digest: bytes, known: Iterable[bytes]) -> bool:
    """Compare with every known digest, whichever matches, in constant time."""
    matches = [hmac.compare_digest(digest, other) for other in known]  # all of them: no early end to be timed
    return any(matches)


def _host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    found = _HOST.fullmatch(host)
    return (found[1] or found[2].removesuffix(".")).casefold() if found else ""


_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253}))(?::\d{0,5})?")


_OF_NOTHING: Final = frozenset(hashlib.sha256(text).digest() for text in (b"", b"\n", b"\r\n", b" ", b" \n"))
_DIGEST: Final = re.compile(r"[0-9A-Fa-f]{64}")


def _read_digests(settings: AccessSettings) -> list[bytes]:
    assert settings.api_keys_file is not None
    try:
        lines = settings.api_keys_file.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read the API keys of {settings.api_keys_file}: {error}") from None
    digests: list[bytes] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        digest = line.split()[0]
        if not _DIGEST.fullmatch(digest):  # it may be a key, so it is not shown
            raise ConfigError(
                f"{settings.api_keys_file}, line {number}: a line is the SHA-256 digest of a key, which has 64 hex "
                "digits; `printf %s KEY | sha256sum` prints it"
            )
        if bytes.fromhex(digest) in _OF_NOTHING:
            raise ConfigError(
                f"{settings.api_keys_file}, line {number}: that is the digest of an empty text; was the key's variable "
                "set?"
            )
        digests.append(bytes.fromhex(digest))
    if not digests:
        raise ConfigError(f"{settings.api_keys_file} holds no API key; refusing to serve everybody")
    return digests
