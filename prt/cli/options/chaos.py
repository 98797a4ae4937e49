"""The options of faults turned into a checked plan."""

from __future__ import annotations

import re
from collections.abc import Sequence

from prt.errors import UsageError
from prt.state.conditions.bounds import parse_duration
from prt.tap.chaos.plan import REFUSALS, ChaosPlan, FaultPlan

_DELAY = re.compile(r"(?P<mean>[^±+]+?)(?:(?:±|\+-|\+/-)(?P<spread>.+))?")


def parse_cut(text: str) -> FaultPlan:
    """Return a fault of `at=10s,for=5s` or `every=60s`. Raises UsageError."""
    given: dict[str, float] = {}
    for part in text.split(","):
        name, equals, value = part.strip().partition("=")
        if name not in ("at", "every", "for") or not equals or name in given:
            raise UsageError(
                f"--cut can't be read: {text}", "write --cut at=10s,for=5s or --cut every=60s,for=2s"
            )
        given[name] = parse_duration(value, f"{name} of --cut")
    if ("at" in given) == ("every" in given):
        raise UsageError(f"--cut needs either at or every: {text}", "write --cut at=10s,for=5s")
    return FaultPlan(kind="cut", at=given.get("at"), every=given.get("every"), seconds=given.get("for", 0.0))


def parse_delay(text: str) -> tuple[float, float]:
    """Return seconds and their spread of `300ms`, `300ms±100ms` or `300ms+-100ms`. Raises UsageError."""
    match = _DELAY.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"--delay can't be read: {text}", "write --delay 300ms or --delay 300ms+-100ms")
    mean = parse_duration(match["mean"], "--delay")
    return mean, parse_duration(match["spread"], "--delay") if match["spread"] else 0.0


def parse_rate(text: str) -> float:
    """Return the part of `5%`, from 0 to 1. Raises UsageError."""
    number = text.strip().removesuffix("%")
    try:
        rate = float(number)
    except ValueError:
        rate = -1.0
    if not 0 < rate <= 100 or not text.strip().endswith("%"):
        raise UsageError(f"--drop-changes expects a percentage, not {text}", "write --drop-changes 5%")
    return rate / 100


def single_faults(
    *, half_open: bool, refuse: int | None, expire_token: bool, at: str, seconds: str
) -> list[FaultPlan]:
    """Return the faults that happen once: `at` after the first websocket, a refusal for `seconds`.

    Raises UsageError.
    """
    begin, length = parse_duration(at, "--fault-at"), parse_duration(seconds, "--fault-for")
    faults = [FaultPlan(kind="half-open", at=begin)] if half_open else []
    if refuse is not None:
        if refuse not in REFUSALS:
            known = ", ".join(map(str, REFUSALS))
            raise UsageError(f"--refuse expects one of {known}, not {refuse}", "write --refuse 503")
        faults.append(FaultPlan(kind="refuse", at=begin, seconds=length, status=refuse))
    if expire_token:
        faults.append(FaultPlan(kind="expire-token", at=begin))
    return faults


def plan_of(
    faults: Sequence[FaultPlan],
    *,
    delay: str | None,
    drop_changes: str | None,
    seed: int | None,
    expect_recovery: str | None,
) -> ChaosPlan:
    """Return the plan of all options. Raises UsageError."""
    if expect_recovery is not None and not faults:
        raise UsageError(
            "--expect-recovery needs a fault to recover from", "add --cut at=10s,for=5s, for instance"
        )
    return ChaosPlan(
        faults=tuple(faults),
        delay=None if delay is None else parse_delay(delay),
        drop_rate=0.0 if drop_changes is None else parse_rate(drop_changes),
        seed=seed,
        expect_recovery=(
            None if expect_recovery is None else parse_duration(expect_recovery, "--expect-recovery")
        ),
    )
