"""The request for a watch: the values that a command makes of its options."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from prt.errors import UsageError
from prt.inputs import Input

if TYPE_CHECKING:
    from pathlib import Path

    from prt.app.actions import Actions
    from prt.app.notifications import Place
    from prt.config.project import Project
    from prt.state.conditions.alerts import Rule
    from prt.state.conditions.bounds import Awaited, Bounds
    from prt.state.conditions.matching import Matching
    from prt.state.screen import Screen
    from prt.stream.binding import Binding
    from prt.stream.live.supervisor import Policy
    from prt.stream.recording.file import Recording
    from prt.stream.rest.session import Endpoint
    from prt.stream.topic import Room
    from prt.views.panels.view import View
    from prt.views.sinks.form import Form
    from prt.views.sinks.output import Output

Keys = dict[tuple[str, str], tuple[str, ...]]
"""Key columns by (schema, table)."""


class KeyColumns(Struct, frozen=True):
    """Key columns as they were given; `table` is a name with or without its schema, None for every table."""

    table: str | None
    columns: tuple[str, ...]


class RecoveryRequest(Struct, frozen=True, kw_only=True):
    """The reads over REST that accompany the stream."""

    backfill: bool = True
    """Whether a gap is filled."""
    verify: bool = False
    """Whether the tables are compared with what came, all the time."""
    snapshot: bool | frozenset[tuple[str, str]] = False
    """Of every table, of none, or of these."""
    since: str | None = None
    """An RFC 3339 moment from which on changes are read."""
    cursor: str | None = None
    """The column that dates a row's last change."""
    keys: tuple[KeyColumns, ...] = ()

    def keys_of(self, bindings: Sequence[Binding]) -> Keys:
        """Return the key columns of the tables that are watched.

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
    """A file to replace, or an address of this machine to listen at."""

    path: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0


class MetricsRequest(Struct, frozen=True, kw_only=True):
    """The request for metrics beside the watch."""

    target: MetricsTarget
    plan: str = "free"
    """The plan whose limits count."""
    canary: tuple[str, str] | None = None
    """The schema and the table in which a row is written and removed every minute."""


class WatchRequest(Struct, frozen=True, kw_only=True):
    """All that a watch is asked to do."""

    source: Project | Recording
    """A recording is played: its end, which is a success, is repeated."""
    form: Form
    bounds: Bounds
    expectations: Awaited
    matching: Matching
    bindings: Sequence[Binding] | Callable[[Endpoint], Sequence[Binding]] = ()
    """The tables; a function waits for the session, which tells who we are."""
    rooms: Sequence[Room] | Callable[[Endpoint], Sequence[Room]] = ()
    """The topics; with topics and no bindings no table is joined."""
    recovery: RecoveryRequest = RecoveryRequest()
    policy: Policy | None = None
    views_of: Callable[[Screen], Sequence[View]] | None = None
    """Makes what is drawn; None is the table of events."""
    actions: Actions | None = None
    output: Output | None = None
    """Stands in place of the form's."""
    record: Path | None = None
    """A file for all that comes."""
    metrics: MetricsRequest | None = None
    rules: Sequence[Rule] = ()
    """They raise alerts."""
    fails_on: str | None = None
    """The severity from which on an alert fails the command."""
    is_once: bool = False
    """Print what is there at the end, without a screen."""
    is_quiet: bool = False
    can_edit: bool = False
    """Whether keys may write."""
    notifications: Place | None = None
    """Where notifications are rows, for the key that marks one as read."""
