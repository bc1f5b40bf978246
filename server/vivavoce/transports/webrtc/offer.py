"""What is let into the ICE agent of a browser's offer: a bounded number of addresses, public ones unless allowed.

The server sends connectivity checks to every address an offer names, so an offer could make it knock on doors inside
its own network. Nothing is lost by dropping them: browsers check the server's addresses as well, and are answered
where they come from (peer-reflexive candidates, RFC 8445 section 7.3.1.3). Pure: text in, text out.
"""

from __future__ import annotations

import ipaddress
import re

from vivavoce.errors import InvalidRequest, PayloadTooLarge

MAX_BYTES = 32 * 1024
MAX_CANDIDATES = 10

_UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that is routed today: neither NAT64 nor site-local is
# What Python takes for global and is a way into some other network, or none.
_LEADS_ELSEWHERE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",  # of protocols, RFC 6890
        "192.88.99.0/24",  # relays of 6to4, RFC 7526
        "2001::/23",  # of protocols, Teredo among them, RFC 4380
        "2002::/16",  # 6to4, RFC 3056
        "3fff::/20",  # of documents, RFC 9637
    )
)


_HASH_BYTES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_FINGERPRINT = re.compile(r"(?i)a=fingerprint:(sha-256|sha-384|sha-512) ((?:[0-9a-f]{2}:)+[0-9a-f]{2})")


class InvalidOffer(InvalidRequest):
    """The body is not an SDP offer this server can answer."""

    code = "invalid_sdp"


def cleaned_offer(body: bytes, *, allow_private: bool) -> str:
    """An offer with nothing in it that the ICE agent should not see.

    The mark that no more candidates will come goes too: without it the agent waits for the browser's own checks even
    where no candidate is left.

    Args:
        body: SDP, as it came.
        allow_private: keep candidates of this machine and of private networks.

    Raises:
        PayloadTooLarge: If it is over 32 KiB.
        InvalidOffer: If it is not an offer of a data channel and of audio to receive.
    """
    if len(body) > MAX_BYTES:
        raise PayloadTooLarge(MAX_BYTES)
    try:
        lines = body.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise InvalidOffer("the offer is not UTF-8") from None
    for needed in ("m=audio ", "m=application "):
        if not any(line.startswith(needed) for line in lines):
            raise InvalidOffer(f"the offer needs a section '{needed.strip()}'")
    if not _is_signed(lines):
        raise InvalidOffer("the offer needs a certificate's fingerprint, 'a=fingerprint:sha-256 ...'")
    kept: list[str] = []
    candidates: list[str] = []
    for line in lines:
        if line.startswith("a=candidate:"):
            candidate = line.strip()
            known = candidate in candidates  # bundled sections repeat theirs
            if not known and (len(candidates) >= MAX_CANDIDATES or not _is_welcome(candidate, allow_private)):
                continue
            candidates += [] if known else [candidate]
        if not line.startswith("a=end-of-candidates"):
            kept.append(line)
    return "\r\n".join(kept) + "\r\n"


def _is_signed(lines: list[str]) -> bool:
    """Whether the session or its first section names a certificate; without one no call can be told from another's."""
    sections = 0
    for line in lines:
        sections += line.startswith("m=")
        if sections > 1:
            return False
        if line.startswith("a=fingerprint:") and (found := _FINGERPRINT.fullmatch(line.strip())):
            return len(found[2].split(":")) == _HASH_BYTES[found[1].lower()]
    return False


def _is_welcome(candidate: str, allow_private: bool) -> bool:
    """Whether a candidate is one for UDP, by address (names would be looked up), and allowed.

    Source: RFC 8839 section 5.1, `a=candidate:foundation component transport priority address port typ type`.
    """
    fields = candidate.split()
    if len(fields) < 8 or fields[2].lower() != "udp":
        return False
    try:
        address = ipaddress.ip_address(fields[4])
    except ValueError:
        return False
    if address.is_multicast or address.is_unspecified:
        return False
    return allow_private or _is_public(address)


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether it leads out of this network by itself: an address that holds another one leads to that."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if address not in _UNICAST:
            return False
    return address.is_global and not any(
        address.version == network.version and address in network for network in _LEADS_ELSEWHERE
    )
