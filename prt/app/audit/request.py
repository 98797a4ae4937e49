"""The request for an audit, as one value."""

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
    """The options of an audit, checked.

    Attributes:
        project: The project, with the direct connection to its database.
        bindings: What is watched; a table "*" is every published table of its schema.
        form: What the output looks like.
        duration: Seconds from READY on in which commits are accounted for.
        late_after: From how many seconds after its commit on a change is late.
        min_delivery: Percent of the expected changes that must arrive in time; None asks for nothing.
        max_wal: Bytes of WAL that the slot may hold back before the audit stops.
        allows_slot: Whether a slot may be opened on a database that is not on loopback.
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
