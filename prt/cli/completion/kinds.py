"""The kinds of values: the scripts contain the words of some, and ask the program for those of others."""

from __future__ import annotations

from typing import Final

DYNAMIC: Final = ("table", "column", "profile")
"""The kinds whose words `prt __complete KIND` prints."""
SHELLS: Final = ("bash", "zsh", "fish", "powershell")


def words() -> dict[str, tuple[str, ...]]:
    """Return the words of each kind that the scripts contain."""
    from prt.checks.test.suites.registry import SUITES  # noqa: PLC0415 - only needed to generate scripts
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
