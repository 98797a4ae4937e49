"""The context of a check: identities, connections, marked rows, and the settings of the run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from msgspec import structs

from prt.checks.test.identities import Identities, Who, own_claims, token_claims
from prt.checks.test.outcomes import FailedError, SkippedError
from prt.checks.test.row_factory import Owner
from prt.checks.test.rows import Rows, Sweeper, Writes
from prt.checks.test.settings import RunId, Settings
from prt.checks.test.trace import Trace
from prt.checks.test.watcher import Watcher, watching
from prt.config.project import Project
from prt.errors import PrtError, RefusedError, UnreachableError
from prt.inputs import Input
from prt.results import Failure
from prt.stream.binding import Binding
from prt.stream.live.source import Live
from prt.stream.live.supervisor import Policy
from prt.stream.rest.answers import RejectedError, UnavailableError
from prt.stream.rest.client import Rest
from prt.stream.rest.session import Session
from prt.stream.topic import TopicSettings

NO_RECONNECTS = Policy(max_reconnects=0)


class Context:
    """The context that every check of a run receives."""

    def __init__(
        self, project: Project, identities: Identities, settings: Settings, run: RunId, *, is_loopback: bool
    ) -> None:
        self.project = project
        self.identities = identities
        self.settings = settings
        self.run = run
        self.is_loopback = is_loopback
        self.trace = Trace()
        self.has_written = False
        self._rows: dict[Who, Rows] = {}
        self._unfit: dict[Who, SkippedError] = {}
        self._missing: SkippedError | None = None
        self._is_found = False
        self._left: SkippedError | None = None
        self._writes = Writes()
        self._topics = 0
        self._others: dict[str, Context] = {}

    @property
    def table(self) -> str:
        """Return the table under test as `schema.table`."""
        return self.settings.table_name

    def binding(self, **more: Any) -> Binding:
        """Return a binding of the table under test."""
        return Binding(table=self.settings.table, schema=self.settings.schema, **more)

    def of_table(self, schema: str, table: str, marker: str | None) -> Context:
        """Return the context for checks of another table; the same one each time for the same table.

        `sweep` removes the rows of that table too.
        """
        settings = structs.replace(
            self.settings,
            schema=schema,
            table=table,
            marker=marker,
            is_table_named=self.settings.is_table_named or f"{schema}.{table}" != self.table,
        )
        if settings.table_name not in self._others:
            other = Context(self.project, self.identities, settings, self.run, is_loopback=self.is_loopback)
            other.trace = self.trace
            self._others[settings.table_name] = other
        return self._others[settings.table_name]

    def topic(self, what: str) -> str:
        """Return the name of a topic that no other client uses."""
        self._topics += 1
        return f"prt-test:{self.run}:{self._topics}:{what}"

    @asynccontextmanager
    async def watch(
        self,
        bindings: Sequence[Binding] = (),
        *,
        who: Who = "self",
        session: Session | None = None,
        **more: Any,
    ) -> AsyncIterator[Watcher]:
        """Open a separate connection for the block, with its own channel.

        Args:
            bindings: The tables to subscribe to.
            who: The identity of the connection.
            session: A session to use instead of the identity's.
            more: Further arguments of `Live`; `settings` replaces the channel's topic and options.

        Raises:
            SkippedError: The project has no such identity, or it is known that the table does not exist.
        """
        if bindings and self._missing is not None:
            raise self._missing
        session = await self.identities.session(who) if session is None else session
        settings = more.pop("settings", None) or TopicSettings(topic=self.topic("changes"), events=())
        watcher = Watcher(
            self.project.identity if who == "self" else who,
            self.trace,
            wait_seconds=self.settings.wait_seconds,
            run_mark=self.run.mark,
        )
        options = {"policy": NO_RECONNECTS, **more}
        live = Live(session, bindings, settings=settings, on_frame=watcher.on_frame, **options)
        async with watching(watcher, live):
            yield watcher

    async def rows(self, who: Who = "self") -> Rows:
        """Return the writer of the table's rows as this identity, after a trial row was written and removed.

        Raises:
            SkippedError: Rows can't be written to the table, or not removed from it.
            FailedError: The table does not exist. Only the first check fails with it.
            PrtError: REST failed.
        """
        await self.require_table()
        if self._left is not None:
            raise self._left
        if who in self._unfit:
            raise self._unfit[who]
        if who not in self._rows:
            try:
                self._rows[who] = await self._tried_out(who)
            except SkippedError as exc:
                self._unfit[who] = exc
                raise
        return self._rows[who]

    async def require_table(self) -> None:
        """Look for the table over REST, once in a run.

        Raises:
            FailedError: The table does not exist. Only the first check fails with it.
            SkippedError: A former check has failed with it.
        """
        if self._missing is not None:
            raise self._missing
        if self._is_found:
            return
        rest = await self.identities.rest("self")
        try:
            await rest.read(self.settings.schema, self.settings.table, [("limit", "0")])
        except UnavailableError:
            pass  # what needs the table's rows reports it
        except UnreachableError as exc:
            self._missing = SkippedError(f"there is no table {self.table}, as the first failure says")
            raise FailedError(_not_there(self.settings, exc)) from exc
        except PrtError:
            pass  # the table exists, or REST can't tell
        self._is_found = True

    async def sweep(self) -> str | None:
        """Remove what this run has written; return why that was not possible, or None."""
        left = await self._sweep_own() if self.has_written else None
        for other in self._others.values():
            if (of_other := await other.sweep()) is not None and left is None:
                left = f"{of_other} ({other.table})"
        return left

    async def sweeper(self) -> Sweeper:
        """Return a sweeper, with the server key if it is known, because the server sees everybody's rows."""
        rest: Rest
        try:
            rest = await self.identities.rest("service")
        except SkippedError:
            rest = await self.identities.rest("self")
        return Sweeper(rest, self.settings, is_gentle=not self.is_loopback)

    async def _sweep_own(self) -> str | None:
        await self._writes.settle()
        try:
            swept = await (await self.sweeper()).sweep_own(self.run)
        except (PrtError, SkippedError) as exc:
            return str(exc)
        return f"{swept.left} may not be deleted by this identity" if swept.left else None

    async def _tried_out(self, who: Who) -> Rows:
        session = await self.identities.session(who)
        rows = Rows(
            await self.identities.rest(who),
            self.settings,
            self.run,
            trace=self.trace,
            writes=self._writes,
            owner=Owner(
                self.identities.user_id(session) or await self._member_id(),
                own_claims(token_claims(session.endpoint)),
            ),
        )
        sweeper = await self.sweeper()
        await sweeper.try_out(self.run)
        if not self.has_written and (left := (await sweeper.sweep_dead()).left):
            raise SkippedError(
                f"rows of former test runs ({left}) stand in {self.table}, and this identity may not delete "
                "them: it makes no further ones; set the server key for cleaning, "
                f"or take another {Input.IDENTITY}"
            )
        self.has_written = True
        try:
            row = await rows.insert("tried out")
        except (RefusedError, RejectedError) as exc:
            hint = f" ({exc.hint})" if exc.hint else ""
            raise SkippedError(f"no row can be written to {self.table}: {exc.message}{hint}") from exc
        if not (await sweeper.sweep_own(self.run)).gone:
            # The sweeper is the same for all identities, so that a row of another one would be left, too.
            self._left = SkippedError(
                f"this identity may insert into {self.table} but not delete: one row is left, {row.mark}; "
                f"set the server key for cleaning, or take another {Input.IDENTITY}"
            )
            raise self._left
        return rows

    async def _member_id(self) -> str | None:
        """Return the member's id, or None without a member.

        Rows that are written with the server key need it as their owner.
        """
        try:
            return self.identities.user_id(await self.identities.session("member"))
        except SkippedError:
            return None


def _not_there(settings: Settings, error: UnreachableError) -> Failure:
    table = settings.table_name
    if settings.is_table_named:
        return Failure(
            expected=f"the table {table}, which {Input.TABLE} names",
            came=error.message,
            cause="its name is misspelt, or the project's API does not show it",
            remedy=error.hint or "check the name and its schema",
        )
    return Failure(
        expected=f"the table {table}, in which rows are written unless {Input.TABLE} names another one",
        came=error.message,
        cause="the default is a table of the demo, and this project has its own",
        remedy=f"name one of yours with {Input.TABLE}; without a table, run the suites that need none: "
        "prt test connect channel broadcast presence",
    )
