"""The request for an audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prt.config.project import Project
    from prt.stream.binding import Binding
    from prt.views.sinks.form import Form


@dataclass(frozen=True, kw_only=True)
class AuditRequest:
    """The checked options of an audit.

    Attributes:
        project: The project, with the direct connection to its database.
        bindings: The tables to watch; a table "*" is every published table of its schema.
        form: The form of the output.
        duration: How long commits are counted, in seconds from READY.
        late_after: The lag in seconds from which a change is late.
        min_delivery: The percentage of expected changes that must arrive in time; None for no minimum.
        max_wal: How many bytes of WAL the slot may hold back before the audit stops.
        allows_slot: Whether a slot may be created on a database that is not on loopback.
        is_quiet: Whether notices are dropped.
    """

    project: Project
    bindings: Sequence[Binding]
    form: Form
    duration: float
    late_after: float
    min_delivery: float | None
    max_wal: int
    allows_slot: bool
    is_quiet: bool
