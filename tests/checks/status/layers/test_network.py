from __future__ import annotations

import pytest

from prt.checks.status.layers.network import (
    CERTIFICATE_SOON_SECONDS,
    Address,
    Answered,
    address_of,
    judge_dns,
    judge_tcp,
    judge_tls,
)

NOW = 1_800_000_000.0
URL = "https://project.example:8443"
THERE = Address("https", "project.example", 8443)
BEHIND = Address("https", "proxy.example", 3128, proxy="https_proxy")


def test_where_a_url_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert address_of(URL) == THERE
    assert address_of("https://a.supabase.co").port == 443
    assert address_of("http://127.0.0.1").port == 80
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert address_of(URL) == BEHIND
    monkeypatch.setenv("no_proxy", "project.example")
    assert address_of(URL) == THERE


def test_names() -> None:
    found = judge_dns(URL, THERE, Answered(1.0, "10.0.0.1, 10.0.0.2 and 3 more"))
    assert (found.state, found.figure) == ("ok", "10.0.0.1, 10.0.0.2 and 3 more")
    assert judge_dns(URL, Address("http", "127.0.0.1", 80), Answered(0.1, "127.0.0.1")).figure == (
        "an address, no name"
    )
    assert judge_dns(URL, BEHIND, Answered(1.0, "10.0.0.1")).figure == (
        "10.0.0.1 · through the proxy proxy.example:3128 of https_proxy"
    )
    lost = judge_dns(URL, BEHIND, Answered(1.0, error="unknown"))
    assert lost.causes[0].remedy == "unset https_proxy"


@pytest.mark.parametrize(
    ("address", "answer", "why", "remedy"),
    [
        (THERE, Answered(1.0, error="connection refused", code=111), "nothing listens", "the right port"),
        (
            THERE,
            Answered(5000.0, error="no answer in 5 s"),
            "a firewall drops",
            "nc -vz project.example 8443",
        ),
        (
            BEHIND,
            Answered(1.0, error="connection refused", code=111),
            "the proxy proxy.example:3128 of https_proxy",
            "unset",
        ),
    ],
)
def test_no_connection(address: Address, answer: Answered, why: str, remedy: str) -> None:
    found = judge_tcp(address, answer)
    assert (found.state, found.exit_code) == ("failed", 4)
    assert found.causes[0].why.startswith(why)
    assert remedy in (found.causes[0].remedy or "")


@pytest.mark.parametrize(
    ("code", "why", "remedy"),
    [
        (18, "the server's certificate is self-signed", "SSL_CERT_FILE"),
        (19, "the server's certificate is self-signed", "SSL_CERT_FILE"),
        (10, "the server's certificate has ended", "renew it"),
        (62, "the certificate is not that of project.example", "the name in it"),
        (20, "the certificate's issuer is not known here", "SSL_CERT_FILE"),
        (None, "port 8443 does not speak TLS", "SUPABASE_URL=http://project.example:8443"),
    ],
)
def test_no_tls(code: int | None, why: str, remedy: str) -> None:
    found = judge_tls(URL, THERE, Answered(1.0, error="no", code=code), NOW)
    assert found.state == "failed"
    assert found.causes[0].why.startswith(why)
    assert remedy in (found.causes[0].remedy or "")


@pytest.mark.parametrize(("left", "state"), [(1, "ok"), (-1, "warning")])
def test_a_certificate_that_ends_soon(left: int, state: str) -> None:
    ends = NOW + CERTIFICATE_SOON_SECONDS + left
    found = judge_tls(URL, THERE, Answered(1.0, "TLSv1.3", ends=ends), NOW)
    assert (found.state, found.figure) == (state, "TLSv1.3, certificate until 2027-01-29")
