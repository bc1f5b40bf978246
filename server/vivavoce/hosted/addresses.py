"""Which addresses may be called: the rules for a URL that a stranger gave, and for the addresses its name leads to.

Pure. A URL is refused before anything is looked up; an address after the look-up and before a connection is made
(`dialing.py`). Both lists are of what is allowed, so a form that nobody thought of is refused.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from vivavoce.errors import InvalidRequest

HUGGING_FACE = ("router.huggingface.co", "api-inference.huggingface.co", "*.endpoints.huggingface.cloud")
# Where providers behind the router put what they made; a GET without any token.
MEDIA_HOSTS = ("fal.media", "*.fal.media", "replicate.delivery", "*.replicate.delivery")

SUPERSEDED = "api-inference.huggingface.co"
ROUTER = "https://router.huggingface.co/hf-inference"
MAX_URL = 2048

_PLAIN = re.compile(r"[!#-;=?-\[\]_a-z~%]*", re.ASCII)  # what a URL is written in; no quotes, no backslash
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)+(?=[a-z]){_LABEL}")  # a last label with a letter first: no number
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}(?:/[A-Za-z0-9][A-Za-z0-9_.-]{0,95})?")


class AddressRefused(InvalidRequest):
    """This address is not called from here."""

    code = "address_refused"

    def __init__(self, message: str, *, param: str = "api_url") -> None:
        super().__init__(message, param=param)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that passed the rules.

    Attributes:
        host: DNS name in lower case.
        note: what was changed about it, for the caller's eyes; None where nothing was.
    """

    url: str
    host: str
    port: int = 443
    note: str | None = None


class Allowlist:
    """Hosts that may be called: `name`, `*.name` for every name below it, either with `:port`.

    Raises:
        ValueError: If an entry is none of these.
    """

    def __init__(self, hosts: Iterable[str]) -> None:
        self.hosts = tuple(dict.fromkeys(host.casefold() for host in hosts))
        self._exact: set[tuple[str, int]] = set()
        self._below: set[tuple[str, int]] = set()
        for entry in self.hosts:
            name, colon, port = entry.partition(":")
            if not _NAME.fullmatch(name.removeprefix("*.")) or (colon and not 0 < _port(port) < 65536):
                raise ValueError(f"'{entry}' is not a host name, `*.` and a host name, or either with `:port`")
            place = self._below if name.startswith("*.") else self._exact
            place.add((name.removeprefix("*."), _port(port) if colon else 443))

    def __contains__(self, place: tuple[str, int]) -> bool:
        host, port = place
        parents = host.split(".")
        return place in self._exact or any((".".join(parents[k:]), port) in self._below for k in range(1, len(parents)))


def check_url(address: str, allowed: Allowlist, *, param: str = "api_url") -> Target:
    """The target a stranger's URL means.

    Raises:
        AddressRefused: If it is not https, names no allowed host, or is written in a way that two readers could
            understand differently. The sentence never repeats it: a URL can hold a secret.
    """
    if len(address) > MAX_URL or not address.isascii() or not _PLAIN.fullmatch(address.lower()):
        raise AddressRefused(f"{param} is not a plain URL of at most {MAX_URL} characters", param=param)
    try:
        parts = urlsplit(address)
        port = 443 if parts.port is None else parts.port
    except ValueError:
        raise AddressRefused(f"{param} is not a URL", param=param) from None
    if parts.scheme != "https":
        raise AddressRefused(f"{param} must begin with https://", param=param)
    if "@" in parts.netloc or parts.fragment:
        raise AddressRefused(f"{param} must not hold a user name, a password or a fragment", param=param)
    host = (parts.hostname or "").casefold()
    if not _NAME.fullmatch(host) or (host, port) not in allowed:
        known = ", ".join(allowed.hosts)
        raise AddressRefused(
            f"{param} is not on a host that is called from here; allowed: {known}; the setting hosted_hosts adds more",
            param=param,
        )
    if host == SUPERSEDED:
        return _router(parts.path, parts.query, param)
    path = parts.path or "/"
    query = f"?{parts.query}" if parts.query else ""
    place = host if port == 443 else f"{host}:{port}"
    return Target(f"https://{place}{path}{query}", host, port)


def model_url(model: str) -> str:
    """Hugging Face's own inference address of a model named `org/name`.

    Raises:
        AddressRefused: If it is not such a name.
    """
    if not _MODEL.fullmatch(model) or ".." in model:
        raise AddressRefused("a model of Hugging Face is named `organisation/name`", param="model")
    return f"{ROUTER}/models/{model}"


def is_public(address: str) -> bool:
    """True for an address of the open internet, however it is written.

    An IPv4 address inside an IPv6 one (mapped, NAT64, 6to4, Teredo) is not looked at: those forms are refused whole.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if not ip.is_global or ip.is_multicast or ip.is_reserved or ip.is_unspecified:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip not in _UNICAST:
        return False
    return not any(ip.version == net.version and ip in net for net in _SPECIAL)


_UNICAST = ipaddress.ip_network("2000::/3")  # all that is routed today (RFC 4291)
# What the standard library of some supported Pythons takes for global and IANA's registries of special addresses do
# not, and the IPv6 networks that carry an IPv4 address; NAT64 and mapped addresses are outside 2000::/3 anyway.
_SPECIAL = tuple(
    ipaddress.ip_network(net)
    for net in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


def _router(path: str, query: str, param: str) -> Target:
    """The address that took the place of the superseded one (`/models/X`, or `/pipeline/TASK/X`)."""
    parts = path.strip("/").split("/")
    model = "/".join(parts[1:] if parts[0] == "models" else parts[2:] if parts[0] == "pipeline" else [])
    if not _MODEL.fullmatch(model):
        raise AddressRefused(f"{param}: {SUPERSEDED} was closed; write {ROUTER}/models/ORGANISATION/NAME", param=param)
    url = f"{ROUTER}/models/{model}" + (f"?{query}" if query else "")
    note = f"{SUPERSEDED} is superseded; called {ROUTER}/models/{model}"
    return Target(url, "router.huggingface.co", 443, note)


def _port(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
