"""The secrets that this process has read, and texts cleared of them.

Whoever reads a secret (from the environment, a file, a command, a prompt or a server's answer) registers it
before anything else is done with it, because a library may put it into an exception in a form of its own:
escaped for a URL, for JSON, or as Python's `repr`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, quote_plus, unquote

HIDDEN: Final = "<hidden>"
_SHORTEST: Final = 4
"""Shorter values are never hidden: they would blot out ordinary words."""
_SHORTEST_ANYWHERE: Final = 6
"""Shorter values are hidden only if they stand alone, not as a part of a longer word."""
_PUBLIC: Final = frozenset({"postgres"})
"""Ordinary words that everybody knows as passwords: `supabase start` gives every project this one."""

_NAMES: Final = "apikey|access_token|refresh_token|password|token"
_VALUE: Final = r"""'[^']*'|"[^"]*"|[^\s&"',}]+"""
_REFERENCE: Final = r"\{ (?:env|command) = "
"""How prt.toml says where a secret comes from, and so how hints say it."""
_PATTERNS: Final = (
    (re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"), "<token>"),
    (re.compile(r"\bsb_(publishable|secret)_[\w-]+"), r"sb_\1_<key>"),
    (re.compile(rf"(?i)\b({_NAMES})(\s*=\s*|['\"]\s*:\s*)(?!{_REFERENCE})(?:{_VALUE})"), r"\1\2<hidden>"),
    (re.compile(r"(?i)\b(bearer\s+)[^\s\"',]+"), r"\1<hidden>"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/]*@"), r"\1<hidden>@"),
)

_known: Final[set[str]] = set()
_KEYWORD: Final = re.compile(r"\b(?:ssl)?password\s*=\s*('(?:[^'\\]|\\.)*'|\S+)")
_QUERY: Final = re.compile(r"[?&](?:ssl)?password=([^&#]*)")


def register(value: str | None) -> None:
    """Hide a secret, in all forms that libraries write it in, in every text that `redact` is given later.

    None and values that are too short to be a secret are ignored.
    """
    if value is None or value in _PUBLIC:
        return
    pieces = [value, *value.splitlines()] if len(value.splitlines()) > 1 else [value]
    for piece in pieces:
        _known.update(form for form in _forms(piece) if len(form) >= _SHORTEST)


def register_url(text: str) -> None:
    """Register a URL's password: of a database (a URL or libpq's keywords), of a project or of a proxy.

    The password may hold characters that a URL must escape. Readers of URLs then take the text apart at
    different places and put the parts into their errors, so every part counts as a secret.
    """
    for password in _passwords_in(text):
        register(password)
        for part in re.split(r"[/?#@:\[\]]", password):
            register(part)


def redact(text: str) -> str:
    """Return the text without any secret that was registered, and without what looks like one."""
    for value in sorted(_known, key=len, reverse=True):
        if value not in text:
            continue
        if len(value) >= _SHORTEST_ANYWHERE:
            text = text.replace(value, HIDDEN)
        else:
            text = re.sub(rf"(?<![^\W_]){re.escape(value)}(?![^\W_])", HIDDEN, text)
    for pattern, shown in _PATTERNS:
        text = pattern.sub(shown, text)
    return text


def _passwords_in(text: str) -> Iterator[str]:
    scheme, separator, rest = text.partition("://")
    if separator and scheme.strip().isidentifier():
        # A password may hold an @ or a slash that is not escaped: it ends at the last @ of the URL.
        before, at, _ = rest.rpartition("@")
        if at:
            yield before.partition(":")[2]
        first, at, _ = rest.partition("@")
        if at:
            yield first.partition(":")[2]
        for match in _QUERY.finditer(rest):
            yield match[1]
        return
    for match in _KEYWORD.finditer(text):
        found = match[1]
        yield found
        if found.startswith("'"):
            yield re.sub(r"\\(.)", r"\1", found[1:-1])


def _forms(value: str) -> Iterator[str]:
    """A text as it is, decoded as a URL's part, and each of both as libraries escape it."""
    for plain in {value, unquote(value)}:
        yield plain
        for encoded in (quote(plain, safe=""), quote(plain), quote_plus(plain)):
            yield encoded
            yield re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), encoded)
        yield json.dumps(plain)[1:-1]
        yield json.dumps(plain, ensure_ascii=False)[1:-1]
        yield repr(plain)[1:-1]
        yield repr(plain.encode(errors="surrogatepass"))[2:-1]
        yield plain.encode("unicode_escape", errors="surrogatepass").decode()
        yield plain.replace("'", "''")
        yield plain.replace("\\", "\\\\").replace("'", "\\'")
