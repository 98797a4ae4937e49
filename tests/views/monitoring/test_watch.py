from __future__ import annotations

import re
import subprocess

import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from prt import manual
from prt.events import Broadcast, Cost, Gap, Verified, Vitals
from prt.state.metrics import PHASES, Beat, Metrics
from prt.stream.live.combined import WORST_FIRST
from prt.stream.live.supervisor import Phase
from prt.views.monitoring.page import page_text
from prt.views.monitoring.watch import families
from tests.views import story

HOSTILE = 'a"b\\c\nprt_ready 7\n\ud800\x1b'


@pytest.fixture
def metrics() -> Metrics:
    """After a day with everything in it."""
    metrics = Metrics(plan="pro", connections=2)
    vitals = Vitals(
        at=story.BEGIN,
        phase="ready",
        since=story.BEGIN,
        reconnects=3,
        round_trip_ms=12.5,
        token_expires_at=story.BEGIN + 3_600_000_000,
        cost=Cost(messages=9),
    )
    gap = Gap(at=story.BEGIN, start=1, end=2, tables=[HOSTILE], cause=HOSTILE, losses=2)
    for event in (
        vitals,
        story.change("INSERT", HOSTILE, lag=40),
        Broadcast(at=story.BEGIN, topic=HOSTILE, event=HOSTILE),
        gap,
        replace(gap, complete=True),
        Verified(at=story.BEGIN, table=HOSTILE, verified_at=story.BEGIN, scope="all"),
    ):
        metrics.apply(event)
    metrics.note(Beat(at=story.BEGIN, delay=0.3))
    return metrics


def page(metrics: Metrics) -> str:
    return page_text(lambda: families(metrics, story.NOW, has_canary=True))


def test_promtool_accepts_the_page(metrics: Metrics) -> None:
    judged = subprocess.run(
        ["promtool", "check", "metrics"], input=page(metrics), capture_output=True, text=True, check=False
    )
    assert (judged.returncode, judged.stdout, judged.stderr) == (0, "", "")


def test_the_page_has_the_figures(metrics: Metrics) -> None:
    read = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page(metrics))
        for sample in family.samples
    }
    began = story.BEGIN / 1_000_000
    expected = {
        ("prt_connected",): 1,
        ("prt_ready",): 1,
        ("prt_connection_phase", "ready"): 1,
        ("prt_connection_phase", "waiting"): 0,
        ("prt_ready_timestamp_seconds",): began,
        ("prt_reconnects_total",): 3,
        ("prt_heartbeat_round_trip_seconds",): 0.0125,
        ("prt_token_expiry_timestamp_seconds",): began + 3_600,
        ("prt_change_lag_seconds_bucket", "0.025"): 0,
        ("prt_change_lag_seconds_bucket", "0.05"): 1,
        ("prt_gaps_total", "complete"): 1,
        ("prt_gaps_total", "incomplete"): 1,
        ("prt_verification_losses_total",): 4,
        ("prt_plan_limit", "messages", "pro"): 500,
        ("prt_plan_usage_max", "messages"): 2,
        ("prt_quota_messages_total",): 9,
        ("prt_canary_rows_total",): 1,
        ("prt_canary_up",): 1,
        ("prt_canary_delay_seconds_count",): 1,
    }
    assert {name: read.get(name) for name in expected} == expected


def test_the_manual_lists_every_metric(metrics: Metrics) -> None:
    names = set(re.findall(r"^# HELP (\w+)", page(metrics), re.M))
    rows = re.findall(r"^\| (`prt_.*?) \| ", manual.page("monitoring"), re.M)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == names


def test_a_name_can_not_add_a_metric(metrics: Metrics) -> None:
    names = [
        sample.labels.get("table")
        for family in text_string_to_metric_families(page(metrics))
        for sample in family.samples
        if sample.name in {"prt_changes_total", "prt_ready"}
    ]
    assert names == [None, f"public.{HOSTILE}".replace("\ud800", "?")]


def test_every_phase_of_a_connection_has_its_series() -> None:
    from typing import get_args

    assert set(PHASES) == set(get_args(Phase)) >= set(WORST_FIRST)
