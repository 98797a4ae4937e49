from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prt.local.postgres.statements import Statement, split


def texts(script: str) -> list[str]:
    return [statement.text for statement in split(script)]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("", []),
        (" ;; \n-- nothing\n/* at all */", []),
        ("select 1; select 2", ["select 1", "select 2"]),
        ("select 'a;b'; select 2;", ["select 'a;b'", "select 2"]),
        ("select 'it''s;'; select 2;", ["select 'it''s;'", "select 2"]),
        (r"select e'\';'; select 2;", [r"select e'\';'", "select 2"]),
        (r"select '\'; select 2;", [r"select '\'", "select 2"]),
        ('create table "a;b""c" (); select 2;', ['create table "a;b""c" ()', "select 2"]),
        ("do $$ begin; end; $$; select 2;", ["do $$ begin; end; $$", "select 2"]),
        ("do $a$ $$;$$ ; $b$ ; $a$; select 2;", ["do $a$ $$;$$ ; $b$ ; $a$", "select 2"]),
        ("select a$b$c; select d$b$;", ["select a$b$c", "select d$b$"]),
        ("prepare p as select $1; select 2;", ["prepare p as select $1", "select 2"]),
        ("select 1 -- a;b\n; select 2;", ["select 1 -- a;b", "select 2"]),
        ("select /* ; /* ; */ ; */ 1; select 2;", ["select /* ; /* ; */ ; */ 1", "select 2"]),
        (
            "create rule r as on insert to t do (select 1; select 2); select 3;",
            ["create rule r as on insert to t do (select 1; select 2)", "select 3"],
        ),
        (
            "create function f() returns int begin atomic select case a when 1 then 2 end; end; select 3;",
            [
                "create function f() returns int begin atomic select case a when 1 then 2 end; end",
                "select 3",
            ],
        ),
        ("begin; select 1; end;", ["begin", "select 1", "end"]),
        ("select 'never closed; select 2;", ["select 'never closed; select 2;"]),
        ("select $$never; closed", ["select $$never; closed"]),
        ("select 1 /* never; closed", ["select 1 /* never; closed"]),
        ("\\restrict a;b\nselect 1;\n\\unrestrict a;b", ["\\restrict a;b", "select 1", "\\unrestrict a;b"]),
    ],
)
def test_splits_as_psql_does(script: str, expected: list[str]) -> None:
    assert texts(script) == expected


def test_lines_are_where_statements_begin() -> None:
    script = "-- one\n\nselect 1;\n\n/* five\nsix */ select\n 2;\nselect 3;select 4"
    assert [(statement.line, statement.text) for statement in split(script)] == [
        (3, "select 1"),
        (6, "select\n 2"),
        (8, "select 3"),
        (8, "select 4"),
    ]


def test_rows_of_a_copy_are_not_sql() -> None:
    script = (
        "copy t (a) from stdin;\nit's; one\n\\.x\n\\.\n\nselect 1;\nCOPY t FROM STDIN WITH (format csv);\n2\n"
    )
    assert list(split(script)) == [
        Statement(1, "copy t (a) from stdin", "it's; one\n\\.x\n"),
        Statement(6, "select 1"),
        Statement(7, "COPY t FROM STDIN WITH (format csv)", "2\n"),
    ]


PIECES = st.sampled_from(
    [
        "select 1",
        "'a;\n'",
        '"b;"',
        "$$ ; $$",
        "$x$;'$x$",
        "/* ; */",
        "-- ;\n",
        "(a; b)",
        " ",
        "\n",
        ";",
        ";\n",
        "x",
    ]
)


@given(st.lists(PIECES, max_size=12))
def test_nothing_is_lost_and_lines_agree(pieces: list[str]) -> None:
    script = "".join(pieces)
    lines = script.split("\n")
    position = 0
    for statement in split(script):
        position = script.index(statement.text, position)
        assert script.count("\n", 0, position) + 1 == statement.line
        assert lines[statement.line - 1].find(statement.text.split("\n")[0]) >= 0
        position += len(statement.text)


@given(st.text("ab;'\"$/*-\\ \n()", max_size=60))
def test_any_text_ends(script: str) -> None:
    assert sum(len(statement.text) for statement in split(script)) <= len(script)
