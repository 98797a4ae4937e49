"""Kinds of values: those whose words the scripts hold, and those that the program is asked for."""

from __future__ import annotations

from typing import Final

DYNAMIC: Final = ("table", "column", "profile")
"""Kinds of which `prt __complete KIND` knows words that were seen before."""
SHELLS: Final = ("bash", "zsh", "fish", "powershell")


def words() -> dict[str, tuple[str, ...]]:
    """The words of each kind that are known when the scripts are made."""
    from prt.checks.test.suites.registry import SUITES  # noqa: PLC0415 - only where scripts are made
    from prt.cli.options.outputs import TYPES  # noqa: PLC0415
    from prt.cli.options.targets import EVENTS  # noqa: PLC0415
    from prt.config.constants.seed_tables import GROUPS  # noqa: PLC0415
    from prt.stream.filters.grammar import OPERATORS  # noqa: PLC0415
    from prt.views.panels.registry import VIEWS  # noqa: PLC0415

    return {
        "table": (*GROUPS, *GROUPS["all"]),
        "event": EVENTS,
        "type": TYPES,
        "view": tuple(VIEWS),
        "suite": tuple(suite.name for suite in SUITES),
        "who": ("anon", "service"),
        "shell": SHELLS,
        "operator": tuple(f"{operator}." for operator in OPERATORS),
    }
