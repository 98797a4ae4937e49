"""The file of a contract: what is written is read again, and what is invalid is reported in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prt.checks.test.contract import conditions, file
from prt.checks.test.contract.conditions import MissingClaimError
from prt.checks.test.contract.terms import (
    EVENTS,
    IDENTITIES,
    Bounds,
    Contract,
    PublicationTerms,
    Receives,
    Right,
    TableTerms,
    TopicTerms,
)
from prt.checks.test.service_levels import Limit
from prt.errors import UsageError

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
DIGESTS = st.none() | st.just("sha256:" + "0f" * 32)
ROWS = st.sampled_from(["all", "some", "none", "a=eq.{jwt.a.b}", 'a=eq."x,\\"y",b=not.in.(1,2)'])


@st.composite
def tables(draw: st.DrawFn) -> TableTerms:
    pairs = [(identity, event) for identity in IDENTITIES for event in EVENTS]
    return TableTerms(
        schema=draw(NAMES.filter(lambda name: "." not in name)),
        table=draw(NAMES),
        marker=draw(st.none() | NAMES),
        is_published=draw(st.none() | st.booleans()),
        replica_identity=draw(st.none() | st.sampled_from(["default", "full", "nothing", "index"])),
        policies=draw(DIGESTS),
        receives=tuple(
            Receives(identity=identity, event=event, rows=draw(ROWS))
            for identity, event in pairs
            if draw(st.booleans())
        ),
    )


@st.composite
def topics(draw: st.DrawFn) -> TopicTerms:
    flags = st.booleans()
    rights = [
        Right(identity=identity, listen=draw(flags), send=draw(flags), presence=draw(flags))
        for identity in IDENTITIES
        if draw(flags)
    ]
    return TopicTerms(name=draw(NAMES), is_private=draw(flags), rights=tuple(rights))


CONTRACTS = st.builds(
    Contract,
    bounds=st.builds(
        Bounds,
        limits=st.lists(
            st.builds(Limit, st.sampled_from(["max", "p50", "p95", "p99"]), st.integers(1, 10**6)),
            unique_by=lambda limit: limit.name,
        ).map(lambda limits: tuple(sorted(limits, key=lambda limit: limit.name))),
        min_delivery=st.none() | st.integers(0, 1000).map(lambda tenths: tenths / 10),
    ),
    publication=st.none()
    | st.builds(
        PublicationTerms,
        events=st.sets(st.sampled_from(EVENTS)).map(lambda events: tuple(sorted(events))),
        tables=st.none() | st.sets(NAMES, max_size=3).map(lambda names: tuple(sorted(names))),
    ),
    topic_policies=DIGESTS,
    tables=st.lists(tables(), max_size=3, unique_by=lambda one: one.name).map(
        lambda found: tuple(sorted(found, key=lambda one: one.name))
    ),
    topics=st.lists(topics(), max_size=3, unique_by=lambda one: one.name).map(
        lambda found: tuple(sorted(found, key=lambda one: one.name))
    ),
)


@given(CONTRACTS)
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, contract: Contract) -> None:
    path = tmp_path_factory.getbasetemp() / "contract.toml"
    path.write_text(file.text(contract), encoding="utf-8")
    assert file.read(path) == contract
    assert file.text(file.read(path)) == file.text(contract)


def test_the_order_of_what_was_observed_changes_nothing() -> None:
    receives = [Receives(identity=who, event=event, rows="all") for who in IDENTITIES for event in EVENTS]
    found = [TableTerms(schema="public", table=name, receives=tuple(receives)) for name in ("b", "a")]
    turned = [TableTerms(schema="public", table=name, receives=tuple(receives[::-1])) for name in ("a", "b")]
    assert file.text(Contract(tables=tuple(found))) == file.text(Contract(tables=tuple(turned)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version = 2\n", "has version 2, and this prt reads version 1"),
        ("", "is not a contract: Object missing required field `version`"),
        ("version = 1\nversions = 2\n", "unknown field `versions`"),
        ("version = true\n", "Expected `int`, got `bool`"),
        ("version = ", "is not TOML: Invalid value (at end of document)"),
        ("x = " + "[" * 9_000, "is nested too deep"),
        ('version = 1\n[[table]]\nname = ""\n', "length >= 1"),
        ('version = 1\n[[table]]\nname = "a"\n[[table]]\nname = "public.a"\n', "public.a stands there twice"),
        ('version = 1\n[[topic]]\nname = "a"\n[[topic]]\nname = "a"\n', "the topic a stands there twice"),
        ("version = 1\n[bounds]\nmin_delivery = 101\n", "<= 100"),
        ('version = 1\n[bounds]\nmax_lag = { p95 = "soon" }\n', "max_lag.p95 is a time such as 500ms or 2s"),
        ('version = 1\n[bounds]\nmax_lag = { p42 = "2s" }\n', "Invalid enum value 'p42'"),
        ('version = 1\n[[table]]\nname = "a"\npolicies = "md5:0"\n', "`table[0].policies`"),
    ],
)
def test_a_file_that_is_not_a_contract_is_reported_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "realtime.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        file.read(path)
    assert caught.value.message.startswith(f"--contract {path} ")
    assert words in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("most", "there is no such condition: most"),
        ("a=equals.1", "there is no such condition: a=equals.1"),
        ("a=eq.{jwt.}", "{jwt.} names no claim"),
        ("{jwt.a}=eq.1", "a claim stands for a value"),
    ],
)
def test_rows_that_are_no_condition(tmp_path: Path, rows: str, words: str) -> None:
    path = tmp_path / "realtime.toml"
    term = f'{{ identity = "anon", event = "INSERT", rows = "{rows}" }}'
    path.write_text(f'version = 1\n[[table]]\nname = "a"\nreceives = [{term}]\n')
    with pytest.raises(UsageError, match="the rows of a are all, some, none or a filter: "):
        file.read(path)
    assert words in str(conditions.check(rows))


def test_an_identity_and_an_event_stand_there_once(tmp_path: Path) -> None:
    path = tmp_path / "realtime.toml"
    term = '{ identity = "anon", event = "INSERT", rows = "all" }'
    path.write_text(f'version = 1\n[[table]]\nname = "a"\nreceives = [{term}, {term}]\n')
    with pytest.raises(UsageError, match="anon INSERT stands there twice"):
        file.read(path)


def test_a_file_that_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be read: No such file"):
        file.read(tmp_path / "nowhere.toml")
    (tmp_path / "latin").write_bytes("version = 1 # \xe9".encode("latin-1"))
    with pytest.raises(UsageError, match="is not UTF-8"):
        file.read(tmp_path / "latin")


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("a=eq.{jwt.sub}", [("a", 'eq.x,y"z')]),
        ("a=in.({jwt.sub},b)", [("a", 'in.("x,y\\"z","b")')]),
        ("a=in.({jwt.app_metadata.teams})", [("a", 'in.("1","2")')]),
        ("a=eq.{jwt.is_admin},b=neq.{jwt.app_metadata.team}", [("a", "eq.true"), ("b", "neq.7")]),
        ("a=eq.{jwt.https://x.example/team}", [("a", "eq.blue")]),
    ],
)
def test_claims_stand_for_values(text: str, parameters: list[tuple[str, str]]) -> None:
    claims = {
        "sub": 'x,y"z',
        "is_admin": True,
        "app_metadata": {"team": 7, "teams": [1, 2]},
        "https://x.example/team": "blue",
    }
    assert conditions.check(text) is None
    assert conditions.parameters(conditions.filled(text, claims)) == parameters


@pytest.mark.parametrize("name", ["team", "app_metadata.team", "app_metadata", "sub.deep"])
def test_a_claim_that_is_not_there(name: str) -> None:
    with pytest.raises(MissingClaimError, match=name):
        conditions.filled(f"a=eq.{{jwt.{name}}}", {"sub": "x", "app_metadata": {"teams": [1, 2]}})
