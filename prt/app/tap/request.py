"""The request for a tap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prt.tap.chaos.plan import ChaosPlan

if TYPE_CHECKING:
    from pathlib import Path

    from prt.config.project import Project
    from prt.views.sinks.form import Form


@dataclass(frozen=True, kw_only=True)
class TapRequest:
    """The checked options of a tap.

    `form` is the form of standard output; if it's None, findings are lines on standard error.
    """

    project: Project
    port: int
    form: Form | None
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    """The environment of the command, before the URLs are set."""
    command_log: Path | None = None
    is_command_on_stderr: bool = False
    has_frames: bool = False
    record: Path | None = None
    duration: float | None = None
    """How many seconds the run lasts at most."""
    chaos: ChaosPlan = field(default_factory=ChaosPlan)
    is_quiet: bool = False
