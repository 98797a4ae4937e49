"""A test run as its reports know it."""

from __future__ import annotations

from msgspec import Struct

from prt.checks.test.check import Result
from prt.checks.test.service_levels import Slis


class Run(Struct, frozen=True, kw_only=True):
    """`started` in µs; `host` is the project's, `identity` as whom, `table` the one that was written to."""

    version: str
    host: str
    identity: str
    table: str
    started: int
    results: tuple[Result, ...]
    slis: Slis
    exit_code: int
    interrupted: bool = False
