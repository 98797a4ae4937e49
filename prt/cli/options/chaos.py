"""Parsers of the options for faults, which make a checked plan."""

from __future__ import annotations

import re
from collections.abc import Sequence

from prt.errors import UsageError
from prt.state.conditions.bounds import parse_duration
from prt.tap.chaos.plan import REFUSALS, ChaosPlan, FaultPlan

_DELAY = re.compile(r"(?P<mean>[^±+]+?)(?:(?:±|\+-|\+/-)(?P<spread>.+))?")


def parse_cut(text: str) -> FaultPlan:
    """Return the fault of `at=10s,for=5s` or `every=60s`.

    Raises:
        UsageError: The text can't be parsed.
    """
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
    """Return the delay and its spread in seconds, of `300ms`, `300ms±100ms` or `300ms+-100ms`.

    Raises:
        UsageError: The text can't be parsed.
    """
    match = _DELAY.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"--delay can't be read: {text}", "write --delay 300ms or --delay 300ms+-100ms")
    mean = parse_duration(match["mean"], "--delay")
    return mean, parse_duration(match["spread"], "--delay") if match["spread"] else 0.0


def parse_rate(text: str) -> float:
    """Return the share of a percentage such as `5%`, from 0 to 1.

    Raises:
        UsageError: The text isn't a percentage above 0 and up to 100.
    """
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
    """Return the faults that happen once.

    Args:
        half_open: Whether sockets stop passing frames.
        refuse: The HTTP status that refuses websockets; None refuses none.
        expire_token: Whether tokens expire early.
        at: When the faults begin, as a duration after the first websocket has opened.
        seconds: How long a refusal lasts, as a duration.

    Raises:
        UsageError: A duration or the status is not valid.
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
    """Return the plan of all options.

    Args:
        faults: The faults.
        delay: The delay of frames, with its spread.
        drop_changes: The percentage of changes to drop.
        seed: The seed of the random numbers.
        expect_recovery: How long the app may take to recover, as a duration.

    Raises:
        UsageError: An option can't be parsed, or there is no fault to recover from.
    """
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
