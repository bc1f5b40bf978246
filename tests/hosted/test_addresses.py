"""Which URLs and addresses may be called: values in, a target or a refusal out."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.hosted.addresses import HUGGING_FACE, AddressRefused, Allowlist, check_url, is_public, model_url

ALLOWED = Allowlist([*HUGGING_FACE, "models.example.org", "*.lab.example.org:8443"])


@pytest.mark.parametrize(
    "url",
    [
        "https://router.huggingface.co/hf-inference/models/facebook/musicgen-small",
        "https://ROUTER.huggingface.co:443/fal-ai/x?_subdomain=queue",
        "https://abc123.eu-west-1.aws.endpoints.huggingface.cloud",
        "https://models.example.org/",
        "https://gpu1.lab.example.org:8443/generate",
    ],
)
def test_what_is_on_the_list_may_be_called(url: str) -> None:
    target = check_url(url, ALLOWED)
    assert target.url.startswith(f"https://{target.host}")
    assert target.note is None


@pytest.mark.parametrize(
    "url",
    [
        "http://router.huggingface.co/models/x",
        "ftp://router.huggingface.co/",
        "file:///etc/passwd",
        "//router.huggingface.co/",
        "router.huggingface.co",
        "",
        "https://",
        "https:///path",
        # other hosts, and those that only look like ours
        "https://example.com/",
        "https://router.huggingface.co.example.com/",
        "https://evilrouter.huggingface.co/",
        "https://endpoints.huggingface.cloud/",
        "https://xendpoints.huggingface.cloud/",
        "https://router.huggingface.co./",
        "https://lab.example.org:8443/",
        # addresses instead of names, in every form
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://0/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[fe80::1%25eth0]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/",
        "https://metadata.google.internal/",
        # user names, ports, fragments
        "https://router.huggingface.co@127.0.0.1/",
        "https://user:pass@router.huggingface.co/",
        "https://router.huggingface.co:8080/",
        "https://router.huggingface.co:443@evil.example/",
        "https://router.huggingface.co:99999/",
        "https://router.huggingface.co:-1/",
        "https://router.huggingface.co:0/",
        "https://gpu1.lab.example.org/",
        "https://router.huggingface.co/#@127.0.0.1/",
        # what two readers could read differently
        "https://router.huggingface.co\\@127.0.0.1/",
        "https://127.0.0.1\\.router.huggingface.co/",
        "https://router.huggingface.co/\r\nHost: x",
        "https://router.huggingface.co/a b",
        " https://router.huggingface.co/",
        "https://router.hugging\u200bface.co/",
        "https://\u24e1outer.huggingface.co/",
        "https://router.huggingface.co/\u212aelvin",
        "https://router%2ehuggingface.co/",
        "https://router.huggingface.co\t/",
        "https://router.huggingface.co/" + "a" * 2048,
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        check_url(url, ALLOWED)
    assert refused.value.status == 400
    assert refused.value.param == "api_url"
    assert len(url) < 8 or url not in refused.value.message


@given(st.text(max_size=60))
def test_no_text_makes_it_raise_anything_else(text: str) -> None:
    for url in (text, f"https://{text}", f"https://router.huggingface.co{text}"):
        try:
            target = check_url(url, ALLOWED)
        except AddressRefused:
            continue
        assert (target.host, target.port) in ALLOWED


@pytest.mark.parametrize(
    "old",
    [
        "https://api-inference.huggingface.co/models/facebook/musicgen-small",
        "https://api-inference.huggingface.co/pipeline/text-to-audio/facebook/musicgen-small",
    ],
)
def test_the_superseded_host_is_rewritten_with_a_note(old: str) -> None:
    target = check_url(old, ALLOWED)
    assert target.url == "https://router.huggingface.co/hf-inference/models/facebook/musicgen-small"
    assert target.host == "router.huggingface.co"
    assert target.note is not None
    assert "superseded" in target.note


@pytest.mark.parametrize("path", ["", "/", "/models", "/models/../../x", "/models/a/b/c", "/models/a%2fb"])
def test_a_superseded_address_without_a_model_is_refused(path: str) -> None:
    with pytest.raises(AddressRefused, match="write https://router"):
        check_url(f"https://api-inference.huggingface.co{path}", ALLOWED)


@pytest.mark.parametrize("name", ["org/name/extra", "../x", "a b", "org/..", "https://x", "", "/x"])
def test_a_model_is_a_name(name: str) -> None:
    with pytest.raises(AddressRefused):
        model_url(name)


def test_a_model_has_an_address_on_the_router() -> None:
    url = model_url("facebook/mms-tts-eng")
    assert check_url(url, ALLOWED).url == url


@pytest.mark.parametrize("entry", ["", "*", "*.", "http://x.org", "127.0.0.1", "x.org:0", "x.org:port", "x.org/", "co"])
def test_a_list_holds_names_only(entry: str) -> None:
    with pytest.raises(ValueError, match="is not a host name"):
        Allowlist([entry])


@pytest.mark.parametrize("address", ["18.64.0.1", "1.1.1.1", "2600:9000:2000::1", "2a00:1450:4001:800::200e"])
def test_addresses_of_the_open_internet(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "192.0.0.8", "192.0.2.1", "198.18.0.1", "240.0.0.1",
        "::", "::1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "fe80::1", "fe80::1%eth0", "fc00::1",
        "fd00::1", "fec0::1", "ff02::1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1", "2001::1",
        "2001:db8::1", "100::1", "5f00::1", "name", "", "1.1.1.1.1", "2130706433",
    ],
)  # fmt: skip
def test_all_other_addresses(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses())
def test_public_is_never_less_strict_than_the_standard_library(ip: ipaddress.IPv4Address) -> None:
    if is_public(str(ip)):
        assert ip.is_global
        assert not any((ip.is_private, ip.is_link_local, ip.is_loopback, ip.is_multicast))
