"""The request for a tap: the values that the command makes of its options."""

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
    """All that a tap is asked to do.

    `form` is what is written to standard output, None for nothing: findings are lines on standard error.
    """

    project: Project
    port: int
    form: Form | None
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    """The command's environment, before the URLs are set."""
    command_log: Path | None = None
    is_command_on_stderr: bool = False
    has_frames: bool = False
    record: Path | None = None
    duration: float | None = None
    """Seconds after which the run ends."""
    chaos: ChaosPlan = field(default_factory=ChaosPlan)
    is_quiet: bool = False
