"""The request for a watch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from prt.errors import UsageError
from prt.inputs import Input

if TYPE_CHECKING:
    from pathlib import Path

    from prt.app.actions import Actions
    from prt.app.notifications.table import NotificationTable
    from prt.app.sources.refusals import Remedies
    from prt.config.project import Project
    from prt.state.conditions.alerts import Rule
    from prt.state.conditions.bounds import Awaited, Bounds
    from prt.state.conditions.matching import Matching
    from prt.state.screen import Screen
    from prt.stream.binding import Binding
    from prt.stream.live.supervisor import Policy
    from prt.stream.recording.file import Recording
    from prt.stream.rest.session import Endpoint
    from prt.stream.topic import TopicSettings
    from prt.views.panels.view import View
    from prt.views.sinks.form import Form
    from prt.views.sinks.output import Output

Keys = dict[tuple[str, str], tuple[str, ...]]
"""Key columns by (schema, table)."""


class KeyColumns(Struct, frozen=True):
    """Key columns as they were given.

    `table` is a name with or without its schema, or None for all tables.
    """

    table: str | None
    columns: tuple[str, ...]


class RecoveryRequest(Struct, frozen=True, kw_only=True):
    """The reads over REST that accompany the stream."""

    backfill: bool = True
    """Whether gaps are filled."""
    verify: bool = False
    """Whether the tables are continuously compared with the changes that arrived."""
    snapshot: bool | frozenset[tuple[str, str]] = False
    """Whether the present rows are read: of all tables, none, or these, as (schema, table)."""
    since: str | None = None
    """The RFC 3339 timestamp from which changes are read."""
    cursor: str | None = None
    """The column that dates a row's last change."""
    keys: tuple[KeyColumns, ...] = ()

    def keys_of(self, bindings: Sequence[Binding]) -> Keys:
        """Return the key columns of the watched tables by (schema, table).

        Raises:
            UsageError: A key is for a table that is not watched.
        """
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for key in self.keys:
            meant = [one for one in bindings if key.table is None or key.table in (one.table, one.name)]
            if not meant:
                raise UsageError(
                    f"{Input.KEY} names {key.table}, which is not watched", "add it to the tables"
                )
            found.update({(one.schema, one.table): key.columns for one in meant if one.table != "*"})
        return found


class MetricsTarget(Struct, frozen=True, kw_only=True):
    """The target of metrics: a file to replace, or an address of this machine to listen at."""

    path: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0


class MetricsRequest(Struct, frozen=True, kw_only=True):
    """The request for metrics of a watch."""

    target: MetricsTarget
    plan: str = "free"
    """The plan whose limits the metrics compare with."""
    canary: tuple[str, str] | None = None
    """Schema and table in which a row is written and removed every minute."""


class WatchRequest(Struct, frozen=True, kw_only=True):
    """The checked options of a watch."""

    source: Project | Recording
    """The project to watch, or a recording to play; the recorded end is repeated, and counts as a success."""
    form: Form
    bounds: Bounds
    expectations: Awaited
    matching: Matching
    bindings: Sequence[Binding] | Callable[[Endpoint], Sequence[Binding]] = ()
    """The tables; a function is called when there is a session, which identifies the user."""
    default_tables: frozenset[str] = frozenset()
    """The tables, as `schema.table`, that are watched because the user named none."""
    remedies: Remedies | None = None
    """What the user can do about a refused table; None is for tables that were given to `prt watch`."""
    topics: Sequence[TopicSettings] | Callable[[Endpoint], Sequence[TopicSettings]] = ()
    """The topics; with topics and no bindings, no table is watched."""
    recovery: RecoveryRequest = RecoveryRequest()
    policy: Policy | None = None
    views_of: Callable[[Screen], Sequence[View]] | None = None
    """Builds the views; None is the table of events."""
    actions: Actions | None = None
    output: Output | None = None
    """An output that replaces the one of the form."""
    record: Path | None = None
    """The file that all events are recorded to."""
    metrics: MetricsRequest | None = None
    rules: Sequence[Rule] = ()
    """The rules for alerts."""
    fails_on: str | None = None
    """The severity from which an alert fails the command."""
    is_once: bool = False
    """Whether to print the state once at the end, without a screen."""
    is_quiet: bool = False
    can_edit: bool = False
    """Whether keys may write."""
    notifications: NotificationTable | None = None
    """The table of notifications, for the key that marks one as read."""
