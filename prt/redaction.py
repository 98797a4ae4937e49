"""The secrets that this process has read, and a function that removes them from texts.

Code that reads a secret (from the environment, a file, a command, a prompt or a server's answer) must
register it before it does anything else with it. A library may put the secret into an exception in its own
form: escaped for a URL, for JSON, in lower case, or as Python's `repr`. A server may repeat a request.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, quote_plus, unquote

HIDDEN: Final = "<hidden>"
_SHORTEST: Final = 4
"""The length below which a value is never hidden, because hiding it would blot out ordinary words."""
_SHORTEST_ANYWHERE: Final = 6
"""The length below which a value is hidden only if it stands alone, not as a part of a longer word."""
_PUBLIC: Final = frozenset({"postgres"})
"""Passwords that are no secret: `supabase start` gives every project this one."""

_NAMES: Final = "apikey|access_token|refresh_token|password|token"
_VALUE: Final = r"""'[^']*'|"[^"]*"|[^\s&"',}]+"""
_REFERENCE: Final = r"\{ (?:env|command) = "
"""How prt.toml, and therefore a hint, refers to the source of a secret."""
# Every search ends soon, however long a server makes its text: nothing is unbounded before what must follow.
_PATTERNS: Final = (
    (re.compile(r"\beyJ[\w-]{1,512}\.[\w-]+(?:\.[\w-]*)?"), "<token>"),
    (re.compile(r"\bsb_(publishable|secret)_[\w-]+"), r"sb_\1_<key>"),
    (re.compile(rf"(?i)\b({_NAMES})(\s*=\s*|['\"]\s*:\s*)(?!{_REFERENCE})(?:{_VALUE})"), r"\1\2<hidden>"),
    (re.compile(r"(?i)\b(bearer\s+)[^\s\"',]+"), r"\1<hidden>"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]{0,20}://[^\s:/@]*:)[^\s/]*@"), r"\1<hidden>@"),
)

_known: Final[set[str]] = set()
_KEYWORD: Final = re.compile(r"\b(?:ssl)?password\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s\\]|\\.)+)")
_QUERY: Final = re.compile(r"[?&](?:ssl)?password=([^&#]*)")


def register(value: str | None) -> None:
    """Register a secret, so that `redact` hides it in every form that libraries write it in.

    None, and values that are too short to be a secret, are ignored.
    """
    if value is None or value in _PUBLIC:
        return
    pieces = [value, *value.splitlines()] if len(value.splitlines()) > 1 else [value]
    for piece in pieces:
        _known.update(form for form in _forms(piece) if len(form) >= _SHORTEST)


def register_url(text: str) -> None:
    """Register the password in the URL of a database, a project or a proxy, or in libpq's keywords.

    The password may contain characters that a URL must escape. Libraries then split the URL at different
    places and put the parts into their errors, so each part is registered as a secret too.
    """
    for password in _passwords_in(text):
        register(password)
        for part in re.split(r"[/?#@:\[\]]", password):
            register(part)


def register_database(text: str) -> None:
    """Register the address of a database, and the passwords in it.

    The address may be incomplete: a password alone, or a URL without its scheme. libpq puts each word that it
    can't read into its error; that is also the rest of a password with a space that has no quotes.
    """
    register(text)
    register_url(text)
    if "://" in text:
        return
    for word in text.split():
        if "=" not in word:
            before, at, _ = word.rpartition("@")
            register(word)
            register(before.partition(":")[2] if at else None)


def redact(text: str) -> str:
    """Return the text without registered secrets, and without anything that looks like a secret."""
    folded = text.casefold()
    for value in sorted(_known, key=len, reverse=True):
        if value.casefold() not in folded:
            continue
        # A library may fold a text that it reads. A secret of letters alone would then hide ordinary words.
        case = re.NOFLAG if value.isalpha() else re.IGNORECASE
        word = re.escape(value)
        if len(value) < _SHORTEST_ANYWHERE:
            word = rf"(?<![^\W_]){word}(?![^\W_])"
        text = re.sub(word, HIDDEN, text, flags=case)
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
        yield re.sub(r"\\(.)", r"\1", found[1:-1] if found.startswith("'") else found)


def _forms(value: str) -> Iterator[str]:
    """Yield a text as it is, the text decoded as a part of a URL, and both as libraries escape them."""
    for plain in {value, unquote(value)}:
        yield plain
        for encoded in (quote(plain, safe=""), quote(plain), quote_plus(plain)):
            yield encoded
            yield quote(encoded, safe="")  # a URL within a URL, such as the target of a redirect
        for escaped in (json.dumps(plain)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1]):
            yield escaped
            yield json.dumps(escaped, ensure_ascii=False)[1:-1]  # JSON within JSON
        for encode in (b64encode, urlsafe_b64encode):
            yield encode(plain.encode(errors="surrogatepass")).decode().rstrip("=")
        yield html.escape(plain)
        yield repr(plain)[1:-1]
        yield repr(plain.encode(errors="surrogatepass"))[2:-1]
        yield plain.encode("unicode_escape", errors="surrogatepass").decode()
        yield plain.replace("'", "''")
        yield plain.replace("\\", "\\\\").replace("'", "\\'")
