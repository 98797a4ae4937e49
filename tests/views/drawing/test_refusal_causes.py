from __future__ import annotations

from typing import get_args

import pytest

from prt.errors import RefusedError
from prt.stream.socket.refusal_codes import Code, of_exception, of_handshake, of_row, of_words
from prt.stream.socket.refusals import Refusal
from prt.views.drawing import refusal_causes

CODES = get_args(Code)
HOSTILE = "{role} {nothing} {0}"


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_whole_sentences_whatever_the_names_hold(code: Code) -> None:
    refused = Refusal(error=RefusedError, reason="no", code=code)
    causes = [
        *refusal_causes.of_handshake(refused, host="h", origin="KEY", kind="secret", is_bare=True),
        *refusal_causes.of_join(code, role="anon", topic=HOSTILE),
        *refusal_causes.of_message(code, role="anon", topic=HOSTILE),
    ]
    texts = [text.replace(HOSTILE, "") for cause in causes for text in (cause.why, cause.remedy or "")]
    assert texts
    assert not [text for text in texts if "{" in text or "}" in text]


def test_a_message_without_acknowledgement_has_the_policy_that_lets_it_in() -> None:
    first, _ = refusal_causes.of_message(None, role="anon", topic="lobby")
    assert first.why == "no INSERT policy on realtime.messages lets anon send to lobby"
    assert "for insert to anon" in (first.remedy or "")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Unauthorized: You do not have permissions to read from this Channel topic: a", "unauthorized"),
        ("InvalidJWTToken: Token has expired 3 seconds ago", "token_expired"),
        ("JwtSignatureError: of tomorrow", "token_foreign"),
        ("ChannelRateLimitReached: Too many channels", "too_many_channels"),
        ("Too many messages per second", "too_many_messages"),
        ("Too many presence messages per second", "presence_too_often"),
        ("Client presence rate limit exceeded", "presence_too_often"),
        ("Track message size exceeded", "payload_too_large"),
        ("payload_size_exceeded", "payload_too_large"),
        ("something of tomorrow", "other"),
    ],
)
def test_words_become_codes(words: str, code: Code) -> None:
    assert of_words(words) == code


@pytest.mark.parametrize(
    ("status", "words", "code"),
    [
        (401, "API key is missing", "token_missing"),
        (401, "of tomorrow", "token_refused"),
        (403, "Realtime was disabled for this tenant", "disabled"),
        (404, "Tenant not found: x", "tenant_unknown"),
        (404, "", "no_realtime"),
        (429, "Too many connected users", "too_many_connections"),
        (429, "", "too_many_requests"),
        (540, "", "unavailable"),
        (500, "Error connecting to Realtime", "unavailable"),
        (502, "", "realtime_down"),
        (503, "name resolution failed", "realtime_down"),
        (504, "", "realtime_down"),
        (400, "", "no_websocket"),
    ],
)
def test_answers_to_a_handshake_become_codes(status: int, words: str, code: Code) -> None:
    assert of_handshake(status, words) == code


def test_a_refused_binding_names_its_column_or_value() -> None:
    raised = "ERROR P0001 (raise_exception) invalid column for filter my col"
    assert of_exception(raised) == ("filter_column", "my col")
    bad = 'ERROR 22P02 (invalid_text_representation) invalid input syntax for type bigint: "abc"'
    assert of_exception(bad) == ("value", 'invalid input syntax for type bigint: "abc"')


def test_a_change_without_its_row_has_a_reason() -> None:
    assert of_row(["Error 401: Unauthorized"]) == "unauthorized"
    assert of_row(["Error 400: Bad Request, no primary key"]) == "no_primary_key"
    assert of_row(["Error 413: Payload Too Large"]) == "too_large"
