"""Which proxy the environment names for a URL."""

from __future__ import annotations

from base64 import b64encode

import pytest

from prt.config.proxies import proxy_of
from prt.errors import UsageError
from prt.redaction import redact

HOST = "https://abc.supabase.co"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:54321",
        "ws://127.8.9.1:54321/realtime/v1",
        "https://localhost",
        "http://LOCALHOST.:1",
        "http://kong.localhost:8000",
        "http://[::1]:54321",
        "http://[::ffff:127.0.0.1]:54321",
        "http://0.0.0.0:54321",
    ],
)
def test_loopback_has_none(url: str) -> None:
    assert (
        proxy_of(url, {"HTTP_PROXY": "http://p", "HTTPS_PROXY": "http://p", "ALL_PROXY": "http://p"}) is None
    )


@pytest.mark.parametrize(
    ("value", "raw_url"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("  HTTP://proxy.example:3128/  ", "http://proxy.example:3128"),
        ("proxy.example", "http://proxy.example:80"),
        ("https://proxy.example", "https://proxy.example:443"),
        ("http://[fd00::1]:3128", "http://[fd00::1]:3128"),
        ("maya:p%40ss@proxy.example:3128", "http://maya:p@ss@proxy.example:3128"),
        ("http://maya:p@ss@proxy.example:3128", "http://maya:p@ss@proxy.example:3128"),
        ("http://maya@proxy.example:3128", "http://maya:@proxy.example:3128"),
    ],
)
def test_every_form_that_users_write(value: str, raw_url: str) -> None:
    found = proxy_of(HOST, {"HTTPS_PROXY": value})

    assert found is not None
    assert found.raw_url == raw_url
    assert "p@ss" not in repr(found)


@pytest.mark.parametrize(
    ("variables", "url", "variable"),
    [
        ({"HTTPS_PROXY": "p"}, "wss://abc.supabase.co/realtime/v1", "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "upper", "https_proxy": "lower"}, HOST, "https_proxy"),
        ({"https_proxy": "", "HTTPS_PROXY": "p"}, HOST, "HTTPS_PROXY"),
        ({"HTTP_PROXY": "p", "ALL_PROXY": "p"}, HOST, "ALL_PROXY"),
        ({"HTTP_PROXY": "p", "all_proxy": "p"}, "ws://abc.example", "HTTP_PROXY"),
        ({"HTTP_PROXY": "p"}, HOST, None),
        ({"HTTPS_PROXY": "p"}, "http://abc.example", None),
        ({}, HOST, None),
    ],
)
def test_which_variable_counts(variables: dict[str, str], url: str, variable: str | None) -> None:
    found = proxy_of(url, variables)

    assert (found and found.variable) == variable


@pytest.mark.parametrize(
    "value",
    [
        "socks5://proxy.example:1080",
        "socks5h://proxy.example",
        "ftp://proxy.example",
        "http://",
        "http://proxy.example:many",
        "http://proxy.example:99999",
        "proxy.example:",
        "http://[fd00::1:3128",
        "http://proxy.example:3128/path",
        "http://maya:a%2Fb@proxy.example:3128",
        "http://maya:pässword@proxy.example:3128",
    ],
)
def test_what_can_not_be_used_is_refused_by_the_name_of_the_variable(value: str) -> None:
    with pytest.raises(UsageError, match="ALL_PROXY") as refused:
        proxy_of(HOST, {"ALL_PROXY": value})
    assert "pässword" not in f"{refused.value} {refused.value.hint}"
    assert refused.value.hint


@pytest.mark.parametrize(
    "listed",
    [
        "*",
        "abc.supabase.co",
        "ABC.supabase.co",
        ".supabase.co",
        "*.supabase.co",
        "supabase.co",
        "other.example, abc.supabase.co",
        "other.example abc.supabase.co",
        "abc.supabase.co:443",
        "https://abc.supabase.co",
    ],
)
def test_a_host_that_no_proxy_lists(listed: str) -> None:
    assert proxy_of(HOST, {"HTTPS_PROXY": "p", "NO_PROXY": listed}) is None


@pytest.mark.parametrize(
    "listed", ["bc.supabase.co", "abc.supabase.co:80", "abc.supabase.com", "", ",", ":443"]
)
def test_a_host_that_no_proxy_does_not_list(listed: str) -> None:
    assert proxy_of(HOST, {"HTTPS_PROXY": "p", "no_proxy": listed}) is not None


@pytest.mark.parametrize("listed", ["10.0.0.7", "10.0.0.0/8", "10.0.0.7:8000", "192.168.0.0/16,10.0.0.0/24"])
def test_an_address_that_no_proxy_lists(listed: str) -> None:
    assert proxy_of("http://10.0.0.7:8000", {"HTTP_PROXY": "p", "NO_PROXY": listed}) is None
    assert proxy_of("http://11.0.0.7:8000", {"HTTP_PROXY": "p", "NO_PROXY": listed}) is not None


def test_the_login_is_hidden_in_the_form_of_its_header() -> None:
    proxy_of("http://db.example.com", {"HTTP_PROXY": "http://maya:Zq7w%25xx9@proxy.example.com:3128"})
    header = b64encode(b"maya:Zq7w%xx9").decode()
    assert header not in redact(f"407: Proxy-Authorization: Basic {header} is refused")
