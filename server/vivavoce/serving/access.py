"""Who may call: API keys, Host and Origin. Checked before a route runs and before a WebSocket is accepted.

Keys are kept as SHA-256 digests and compared in constant time; what travels on is an owner, a short hash that names a
key in the admission's books without being one. Called by `gate.py` and by the live routes.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import time
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from vivavoce.config import AccessSettings
from vivavoce.errors import ConfigError, ForbiddenOrigin, InvalidKey
from vivavoce.metrics import Metrics
from vivavoce.serving.credentials import Credential
from vivavoce.serving.tokens import TokenStore

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
ANONYMOUS = "anonymous"


class Access:
    """The door.

    Args:
        key_digests: SHA-256 of each key; none: everybody may call.
        hosts: Host names answered; empty: all.
        origins: Origins of other sites' pages that may call; `*` allows all.

    Attributes:
        tokens: single-use stand-ins for a key, issued for web pages.
    """

    def __init__(
        self, *, key_digests: Iterable[bytes], hosts: Iterable[str], origins: Iterable[str], metrics: Metrics
    ) -> None:
        self._digests = tuple(key_digests)
        self._hosts = frozenset(h.casefold() for h in hosts)
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
        loopback = is_loopback(host)
        if not loopback and not digests and not settings.allow_anonymous:
            raise ConfigError(
                f"refusing to listen on {host} without API keys: set VIVAVOCE_API_KEYS, or pass "
                "--allow-anonymous if everybody who reaches this port may use it"
            )
        hosts = set(settings.allowed_hosts)
        if loopback or hosts:
            hosts |= LOOPBACK_NAMES | {host}
        return cls(
            key_digests=digests,
            hosts=() if "*" in hosts else hosts,
            origins=settings.allowed_origins,
            metrics=metrics,
        )

    @property
    def needs_key(self) -> bool:
        """True when a key is asked for."""
        return bool(self._digests)

    def check_site(self, headers: Mapping[str, str]) -> None:
        """Refuse foreign Host and Origin headers (DNS rebinding, cross-site pages).

        Args:
            headers: names in lower case.

        Raises:
            ForbiddenOrigin: If either is not ours.
        """
        host = headers.get("host", "")
        if self._hosts and _host_name(host) not in self._hosts:
            self._metrics.auth_failures.labels("host").inc()
            raise ForbiddenOrigin("this Host is not served here; see the setting allowed_hosts")
        origin = headers.get("origin")
        if origin is None or "*" in self._origins:
            return
        if urlsplit(origin).netloc.casefold() != host.casefold() and origin.casefold() not in self._origins:
            self._metrics.auth_failures.labels("origin").inc()
            raise ForbiddenOrigin("pages of this origin may not call; see the setting allowed_origins")

    def owner(self, credential: Credential | None, *, spend: bool = True) -> str:
        """Whose call this is: a short hash of its key.

        Args:
            credential: what the caller shows.
            spend: a token is used up by this.

        Raises:
            InvalidKey: If a key is asked for and this is none.
        """
        if not self._digests:
            return ANONYMOUS
        if credential is None:
            self._metrics.auth_failures.labels("missing").inc()
            raise InvalidKey
        owner = self._owner_of_token(credential, spend) if credential.is_token else None
        if owner is not None:
            return owner
        digest = hashlib.sha256(credential.value.encode("utf-8", "replace")).digest()
        if not _any_equal(digest, self._digests):
            self._metrics.auth_failures.labels("key").inc()
            raise InvalidKey
        return digest.hex()[:16]

    def _owner_of_token(self, credential: Credential, spend: bool) -> str | None:
        now = time.monotonic()
        return self.tokens.redeem(credential.value, now) if spend else self.tokens.owner(credential.value, now)


def is_loopback(host: str) -> bool:
    """True for addresses that only this machine reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.casefold() == "localhost"


def _any_equal(digest: bytes, known: Iterable[bytes]) -> bool:
    """Compare with every known digest, whichever matches, in constant time."""
    matches = [hmac.compare_digest(digest, other) for other in known]  # all of them: no early end to be timed
    return any(matches)


def _host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _read_digests(settings: AccessSettings) -> list[bytes]:
    assert settings.api_keys_file is not None
    try:
        lines = settings.api_keys_file.read_text(encoding="ascii").split("\n")
        digests = [bytes.fromhex(line.split()[0]) for line in lines if line.strip() and not line.startswith("#")]
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read the API keys of {settings.api_keys_file}: {error}") from None
    if any(len(d) != 32 for d in digests):
        raise ConfigError(f"{settings.api_keys_file}: a SHA-256 digest has 64 hex digits")
    return digests
