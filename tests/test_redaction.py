"""Secrets that were registered appear in no text, whatever form a library gave them."""

from __future__ import annotations

import html
import json
import zipfile
from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from urllib.parse import quote, quote_plus, unquote

import pytest
from msgspec import Raw

from prt.app.bundle.archive import write_bundle
from prt.app.bundle.frames import Frames
from prt.app.bundle.scrubbing import Scrubber
from prt.checks.status.layers.gateway import Answer
from prt.config.sources import register_secrets
from prt.errors import PrtError
from prt.redaction import redact, register, register_url
from prt.results import Cause, Finding
from prt.stream.live import combined
from prt.stream.rest.answers import one_line
from prt.stream.socket.refusals import words_of
from prt.stream.socket.wire import malformed
from prt.tap.observe.decoding import without_secrets
from prt.views.panels.layers import cleared

PASSWORDS = (
    "Zq7w%xx9",
    "a b+c&d=e",
    "quo\"te's",
    "back\\slash",
    "ünïcödé-ключ",
    "per%20cent",
    "at@sign/slash:colon",
    "two\nlines-of-it",
    "tab\tand\x1bescape",
)
FORMS = {
    "raw": str,
    "quoted": lambda text: quote(text, safe=""),
    "quoted, in lower case": lambda text: quote(text, safe="").replace("%2F", "%2f").replace("%3A", "%3a"),
    "quoted but slashes": quote,
    "quoted plus": quote_plus,
    "unquoted": unquote,
    "json": lambda text: json.dumps(text)[1:-1],
    "json, not ascii": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "quoted twice": lambda text: quote(quote(text, safe=""), safe=""),
    "json in json": lambda text: json.dumps(json.dumps(text))[3:-3],
    "html": html.escape,
    "base64": lambda text: b64encode(text.encode()).decode().rstrip("="),
    "lower case": str.lower,
    "repr": lambda text: repr(text)[1:-1],
    "repr of bytes": lambda text: repr(text.encode())[2:-1],
    "sql": lambda text: text.replace("'", "''"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("password", PASSWORDS)
def test_every_form_of_a_registered_secret_is_hidden(password: str, form: object) -> None:
    register(password)
    text = redact(f"library: <{form(password)}> failed")  # type: ignore[operator]
    assert text == "library: <<hidden>> failed"


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://postgres:{raw}@127.0.0.1:5432/postgres",
        "postgresql://postgres:{quoted}@127.0.0.1:5432/postgres",
        "postgresql://127.0.0.1/postgres?user=x&password={quoted}",
        "host=127.0.0.1 password='{escaped}' dbname=postgres",
    ],
)
def test_the_password_of_a_database_is_known_by_itself(password: str, url: str) -> None:
    escaped = password.replace("\\", "\\\\").replace("'", "\\'")
    register_url(url.format(raw=password, quoted=quote(password, safe=""), escaped=escaped))
    assert redact(f"[{password}]") == "[<hidden>]"


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("Zq7w%xx9", "Zq7w%xx9"),
        ("postgres:Zq7w%xx9@127.0.0.1:5432/postgres", "postgres:Zq7w%xx9@127.0.0.1:5432/postgres"),
        ("postgres:Zq7w%xx9@127.0.0.1:5432/postgres", "Zq7w%xx9"),
        ("host=127.0.0.1 password=first Zq7w%xx9", "Zq7w%xx9"),
        (r"host=127.0.0.1 password=Zq7w\ xx9", "Zq7w xx9"),
    ],
)
def test_each_word_that_libpq_cannot_read_in_an_incomplete_address_is_hidden(value: str, word: str) -> None:
    register_secrets({"SUPABASE_DB_URL": f" {value} "})
    assert redact(f'missing "=" after "{word}" at 127.0.0.1') == 'missing "=" after "<hidden>" at 127.0.0.1'


@pytest.mark.parametrize("part", ["Zq7wA", "xx9abc", "Zq7wA/xx9abc"])
def test_the_parts_that_a_reader_of_urls_takes_a_password_for_are_hidden(part: str) -> None:
    register_url("postgresql://postgres:Zq7wA/xx9abc@db.example.com/postgres")
    assert redact(f'invalid integer value "{part}"') == 'invalid integer value "<hidden>"'


def test_short_secrets_are_hidden_only_if_they_stand_alone() -> None:
    register("hun7")
    register("id")
    assert redact("hun7 and shun7er: id") == "<hidden> and shun7er: id"


def test_a_password_that_everybody_knows_is_an_ordinary_word() -> None:
    register_url("postgresql://postgres:postgres@127.0.0.1:54322/postgres")
    assert redact("the user postgres of postgresql") == "the user postgres of postgresql"


@pytest.mark.parametrize(
    "variable",
    [
        "SUPABASE_PUBLISHABLE_KEY",
        "SUPABASE_ANON_KEY",
        "SUPABASE_KEY",
        "SUPABASE_SECRET_KEY",
        "SUPABASE_SERVICE_ROLE_KEY",
        "SUPABASE_JWT_SECRET",
        "PRT_TOKEN",
        "PRT_PASSWORD",
        "PRT_STRANGER_PASSWORD",
    ],
)
def test_each_variable_that_holds_a_secret_is_registered(variable: str) -> None:
    value = f"of-{variable.lower()}-0815"
    register_secrets({variable: f" {value} "})
    assert redact(f"got {value}") == "got <hidden>"


@pytest.mark.parametrize("variable", ["SUPABASE_DB_URL", "SUPABASE_URL", "HTTPS_PROXY", "https_proxy"])
def test_each_variable_whose_url_may_hold_a_password_is_registered(variable: str) -> None:
    value = f"of-{variable.lower()}-4711"
    register_secrets({variable: f"http://me:{value}@127.0.0.1:1/x"})
    assert redact(f"got {value}") == "got <hidden>"


def test_no_error_of_ours_holds_a_secret() -> None:
    register("never-to-be-seen")
    error = PrtError("the server said never-to-be-seen", "try never-to-be-seen")
    assert "never" not in f"{error} {error!r} {error.message} {error.hint} {error.args}"


def test_a_secret_of_letters_hides_no_word_in_another_case() -> None:
    register("Password")
    assert redact("the password Password") == "the password <hidden>"


OUTPUTS: dict[str, Callable[[str], object]] = {
    "a server's refusal over HTTP": one_line,
    "a server's refusal of a socket": lambda text: words_of(json.dumps({"error": text}).encode()),
    "a frame that can't be read": lambda text: malformed(text.encode(), "no JSON", 0).frame,
    "a finding of status": lambda text: cleared(
        Finding(layer="http", state="failed", figure=text, causes=(Cause(text, text),))
    ),
    "the answer to a check": lambda text: (
        Answer(status=401, body=json.dumps({"message": text}).encode()).words
    ),
    "an error of a source": lambda text: combined._reason(ValueError(text)),
    "a frame of an app": lambda text: bytes(
        without_secrets(Raw(json.dumps({"access_token": "x", "note": text}).encode()))
    ),
    "a text of a bundle": lambda text: Scrubber(None).text(text),
}


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_no_output_repeats_a_secret(output: Callable[[str], object]) -> None:
    register("never-to-be-seen")
    shown = f"{output('the key never-to-be-seen is wrong')}"
    assert "the key <hidden> is wrong" in shown
    assert "never-to-be-seen" not in shown


def test_no_secret_is_left_in_a_frame_of_a_bundle() -> None:
    register("never-to-be-seen")
    file, scrubber = BytesIO(), Scrubber(None)
    frames = Frames(scrubber)
    frames.lines.append({"columns": ["never-to-be-seen"]})
    write_bundle(file, scrubber, settings=[], findings=[], frames=frames)
    with zipfile.ZipFile(file) as archive:
        assert archive.read("frames.ndjson") == b'{"columns":["<hidden>"]}\n'
