"""What of an offer reaches the ICE agent."""

from __future__ import annotations

import pytest

from vivavoce.errors import PayloadTooLarge
from vivavoce.transports.webrtc.offer import InvalidOffer, cleaned_offer

SIGNED = "a=fingerprint:sha-256 " + ":".join(["0a"] * 32) + "\r\n"
HEAD = "v=0\r\n" + SIGNED + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"


def candidate(address: str, *, protocol: str = "udp", port: int = 5000) -> str:
    return f"a=candidate:1 1 {protocol} 2130706431 {address} {port} typ host\r\n"


def kept(*candidates: str, allow_private: bool = False) -> list[str]:
    """Addresses and ports that are left of an offer with these candidates."""
    cleaned = cleaned_offer((HEAD + "".join(candidates)).encode(), allow_private=allow_private)
    return [" ".join(line.split()[4:6]) for line in cleaned.splitlines() if line.startswith("a=candidate")]


PRIVATE = ["10.0.0.7", "192.168.1.4", "172.16.0.1", "127.0.0.1", "169.254.169.254", "fd00::2", "::1", "fe80::1",
           "100.64.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:a00:1::1", "2001:0:53aa::1",
           "fec0::1", "5f00::1", "3fff::1", "192.88.99.1", "::ffff:192.88.99.1", "192.0.0.9", "::8.8.8.8"]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_dropped_unless_allowed(address: str) -> None:
    assert kept(candidate(address)) == []
    assert kept(candidate(address), allow_private=True) == [f"{address} 5000"]


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888"])
def test_public_addresses_are_kept(address: str) -> None:
    assert kept(candidate(address)) == [f"{address} 5000"]


@pytest.mark.parametrize("address", ["intranet.example", "5f2c.local", "0.0.0.0", "::", "239.1.1.1", "ff02::1", "1"])
def test_names_and_groups_are_never_kept(address: str) -> None:
    assert kept(candidate(address), allow_private=True) == []


def test_tcp_is_not_spoken() -> None:
    assert kept(candidate("8.8.8.8", protocol="tcp"), candidate("8.8.8.8", protocol="UDP")) == ["8.8.8.8 5000"]


def test_at_most_ten_candidates_are_kept_and_repeated_ones_count_once() -> None:
    many = [candidate("8.8.8.8", port=5000 + k) for k in range(30)]
    assert kept(*many) == [f"8.8.8.8 {5000 + k}" for k in range(10)]
    assert len(kept(*many[:10], *many[:10])) == 20


def test_the_end_of_candidates_is_not_told() -> None:
    cleaned = cleaned_offer((HEAD + "a=end-of-candidates\r\na=mid:0\r\n").encode(), allow_private=True)
    assert cleaned == HEAD + "a=mid:0\r\n"


def test_an_offer_of_32_kib_is_taken_and_more_is_not() -> None:
    padding = "a=x:" + "y" * (32 * 1024 - len(HEAD) - 6) + "\r\n"
    body = (HEAD + padding).encode()
    assert len(body) == 32 * 1024
    cleaned_offer(body, allow_private=False)
    with pytest.raises(PayloadTooLarge):
        cleaned_offer(body + b"\n", allow_private=False)


@pytest.mark.parametrize(
    "fingerprint",
    ["", "a=fingerprint:sha-256\r\n", "a=fingerprint:sha-256 zz:zz\r\n", "a=fingerprint:sha-256 0a:0b\r\n",
     SIGNED.replace("sha-256", "sha-1"), SIGNED.replace("sha-256", "md5"), SIGNED.replace(":0a", "0a")],
)  # fmt: skip
def test_an_offer_without_a_certificate_is_refused(fingerprint: str) -> None:
    with pytest.raises(InvalidOffer, match="fingerprint"):
        cleaned_offer(HEAD.replace(SIGNED, fingerprint).encode(), allow_private=True)
    only_second = HEAD.replace(SIGNED, fingerprint) + SIGNED
    with pytest.raises(InvalidOffer, match="fingerprint"):
        cleaned_offer(only_second.encode(), allow_private=True)


def test_a_certificate_may_stand_in_the_first_section() -> None:
    offer = HEAD.replace(SIGNED, "").replace("111\r\n", "111\r\n" + SIGNED.replace("0a", "0A"))
    cleaned_offer(offer.encode(), allow_private=True)


@pytest.mark.parametrize("body", [b"", b"\xff", HEAD.split("m=application")[0].encode(), b"m=application 9\r\n"])
def test_what_is_no_offer_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidOffer):
        cleaned_offer(body, allow_private=False)
