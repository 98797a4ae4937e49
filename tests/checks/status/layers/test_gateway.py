from __future__ import annotations

from email.utils import formatdate

import pytest

from prt.checks.status.layers.gateway import Answer, ahead_seconds, is_bare, judge
from prt.config.secret import KeyFacts
from prt.results import Finding

NOW = 1_800_000_000.0
URL = "https://abc.supabase.co"


def judged(answer: Answer, kind: str = "jwt") -> Finding:
    return judge(URL, answer, key_origin="SUPABASE_ANON_KEY", facts=KeyFacts(kind))  # type: ignore[arg-type]


def dated(ahead: float, **headers: str) -> Answer:
    """Of a server whose clock is `ahead` seconds behind ours."""
    return Answer(status=200, at=NOW, headers={"date": formatdate(NOW - ahead, usegmt=True), **headers})


@pytest.mark.parametrize(
    ("ahead", "state", "words"),
    [
        (0, "ok", "clocks agree"),
        (20, "ok", "our clock 20 s ahead"),
        (-20, "ok", "our clock 20 s behind"),
        (90, "warning", "our clock is 90 s ahead"),
        (7200, "warning", "our clock is 120 min ahead"),
        (-3600, "warning", "our clock is 60 min behind"),
    ],
)
def test_clocks(ahead: float, state: str, words: str) -> None:
    # Dates have whole seconds, which count as half of one more.
    found = judged(dated(ahead + 0.5))
    assert found.state == state
    assert found.figure.endswith(words)


def test_who_is_ahead_sees_expired_tokens() -> None:
    assert "good tokens look expired" in judged(dated(3600)).causes[0].why
    assert "as from the future" in judged(dated(-3600)).causes[0].why


@pytest.mark.parametrize("date", [{}, {"date": "yesterday"}])
def test_without_a_date_nothing_is_reported(date: dict[str, str]) -> None:
    answer = Answer(status=200, headers=date, at=NOW)
    assert ahead_seconds(answer) is None
    assert (judged(answer).state, judged(answer).figure) == ("ok", "200")


def test_who_answers() -> None:
    assert judged(dated(0.5, server="cloudflare", via="kong/2.8.1")).figure.startswith(
        "200 · cloudflare, kong/2.8.1 · "
    )
    assert is_bare(Answer(status=404))
    assert not is_bare(Answer(status=200))


def test_keys_that_are_not_known() -> None:
    refused = Answer(status=401, body=b'{"message":"Invalid API key","hint":"Double check"}')
    found = judged(refused, "publishable")
    assert (found.state, found.exit_code, found.figure) == ("failed", 3, "401, Invalid API key")
    assert "publishable key" in (found.causes[0].remedy or "")
    assert len(judged(refused, "unknown").causes) == 1


def test_a_paused_project_is_restored_in_the_dashboard() -> None:
    found = judged(Answer(status=540))
    assert found.causes[0].remedy == "restore it: https://supabase.com/dashboard/project/abc"


@pytest.mark.parametrize(
    ("body", "words", "code", "hint"),
    [
        (b'{"message":"a\\nb","code":"42501","hint":"h"}', "a b", "42501", "h"),
        (b'{"error":"gone"}', "gone", None, ""),
        (b'["x"]', "", None, ""),
        (b"<html>", "", None, ""),
        (b'{"message":7}', "", None, ""),
        (b"[" * 100_000, "", None, ""),
    ],
)
def test_words_of_an_answer(body: bytes, words: str, code: str | None, hint: str) -> None:
    answer = Answer(status=400, body=body)
    assert (answer.words, answer.code, answer.hint) == (words, code, hint)
