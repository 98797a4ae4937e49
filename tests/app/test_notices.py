"""The reports on standard error for the reader of a pipe."""

from __future__ import annotations

import pytest

from prt.app.notices import Notices
from prt.events import Status


def status(status: str, *tables: str, code: str | None = None) -> Status:
    return Status(at=1, status=status, topic="t", tables=list(tables), reason="refused", hint="h", code=code)


def test_refused_default_tables_are_one_line_when_the_others_are_ready(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = [f"public.t{number}" for number in range(5)]
    notices = Notices(frozenset(names))
    for name in names[:4]:
        notices(status("CHANNEL_ERROR", name, code="unpublished"))
    assert capsys.readouterr().err == ""
    notices(Status(at=1, status="READY", topic="t", tables=names[4:]))
    what = "4 of the demo's tables, which are watched without TABLE, are not published here"
    assert capsys.readouterr().err.splitlines() == [
        f"prt: {what}: t0, t1, t2 and others",
        "hint: name the tables to watch, or '*' for every published table",
    ]
    notices.flush()
    assert capsys.readouterr().err == ""


def test_a_refused_table_that_was_named_is_reported_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    Notices()(status("CHANNEL_ERROR", "public.t", code="unpublished"))
    assert capsys.readouterr().err == "prt: public.t: refused\nhint: h\n"
