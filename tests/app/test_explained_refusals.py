"""The hint of a refused table, which people paste into a database."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from prt.app.sources.refusals import ExplainingSource, NoDefaultTableError
from prt.events import Event, Status
from prt.stream.rest.answers import UnavailableError
from prt.stream.socket.failures import NothingAcceptedError

SQL = "alter publication supabase_realtime add table t;"


class Refused:
    """A source with one refusal."""

    def __init__(self, table: str) -> None:
        self.status = Status(
            at=1, status="CHANNEL_ERROR", topic="t", tables=[table], reason="no", hint=SQL, code="unpublished"
        )

    async def __aenter__(self) -> Any:
        async def batches() -> Any:
            yield [self.status]

        return batches()

    async def __aexit__(self, *_: object) -> None:
        """Nothing is open."""


class AllRefused:
    """A source whose every table is refused."""

    async def __aenter__(self) -> Any:
        async def batches() -> Any:
            raise NothingAcceptedError("all 2 subscriptions were refused", "no", SQL, "unpublished")
            yield []

        return batches()

    async def __aexit__(self, *_: object) -> None:
        """Nothing is open."""


class Listing:
    """A REST that names the project's tables, of which some may not be published."""

    async def tables(self, schema: str) -> list[str]:
        assert schema == "public"
        return ["audit_log", "messages", "Odd Name", "rooms"]


class Silent:
    """A REST that does not answer."""

    async def read(self, *_: object, **__: object) -> None:
        raise UnavailableError("away")


@pytest.mark.parametrize(
    ("table", "question"),
    [("public.tasks", "prt status tasks"), ("public.a\nb", "prt status '\"a?b\"'")],
)
def test_a_name_does_not_end_the_comment_of_the_hint(table: str, question: str) -> None:
    async def main() -> list[Event]:
        rest: Any = Silent()
        async with ExplainingSource(Refused(table), rest, frozenset()) as batches:
            return await anext(batches)

    [event] = asyncio.run(main())
    assert isinstance(event, Status)
    assert event.hint == f"{SQL} -- or ask `{question}`"


@pytest.mark.parametrize(
    ("table", "hint"),
    [
        ("public.budgets", "name the tables to watch, or '*' for every published table"),
        ("public.rooms", SQL),
    ],
)
def test_no_sql_publishes_a_default_table_that_the_project_lacks(table: str, hint: str) -> None:
    async def main() -> list[Event]:
        rest: Any = Listing()
        async with ExplainingSource(Refused(table), rest, frozenset({table})) as batches:
            return await anext(batches)

    [event] = asyncio.run(main())
    assert isinstance(event, Status)
    assert event.hint == hint


def test_the_projects_tables_are_listed_and_none_is_said_to_be_published() -> None:
    async def main() -> str | None:
        rest: Any = Listing()
        defaults = frozenset({"public.budgets", "public.events"})
        async with ExplainingSource(AllRefused(), rest, defaults) as batches:
            with pytest.raises(NoDefaultTableError) as raised:
                await anext(batches)
        return raised.value.hint

    own = "audit_log, messages, '\"Odd Name\"', …"
    assert asyncio.run(main()) == f"name some of yours ({own}), or '*' for every published table"
