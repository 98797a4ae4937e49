"""The metrics of `prt watch` for Prometheus, which the manual's page `monitoring` lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from prt import __version__
from prt.state.figures.histogram import Histogram
from prt.state.metrics import PHASES, Metrics
from prt.views.monitoring.page import gauge, label

_SECOND = 1_000_000


def families(metrics: Metrics, now: int, *, has_canary: bool) -> Iterator[Metric]:
    """Yield the metrics at `now` (µs); those of the canary only if there is one."""
    yield InfoMetricFamily("prt_build", "Version of prt.", {"version": __version__})
    yield from _connection(metrics)
    yield from _events(metrics)
    yield from _completeness(metrics)
    yield from _plan(metrics, now)
    if has_canary:
        yield from _canary(metrics)


def _connection(metrics: Metrics) -> Iterator[Metric]:
    yield gauge("prt_connected", "1 if the channel is joined.", metrics.is_connected)
    yield gauge("prt_ready", "1 if changes flow.", metrics.ready_since is not None)
    phase = GaugeMetricFamily(
        "prt_connection_phase", "1 for the phase that the connection is in.", labels=["phase"]
    )
    for name in PHASES:
        phase.add_metric([name], name == metrics.phase)
    yield phase
    if metrics.ready_since is not None:
        yield gauge(
            "prt_ready_timestamp_seconds",
            "When changes began to flow, in seconds since the epoch.",
            metrics.ready_since / _SECOND,
        )
    vitals = metrics.vitals
    reconnects = vitals.reconnects if vitals else 0
    yield _counter("prt_reconnects", "Number of times that the connection was lost.", reconnects)
    if vitals is not None and vitals.round_trip_ms is not None:
        yield gauge(
            "prt_heartbeat_round_trip_seconds",
            "Round trip of the last heartbeat.",
            vitals.round_trip_ms / 1000,
        )
    if vitals is not None and vitals.token_expires_at is not None:
        yield gauge(
            "prt_token_expiry_timestamp_seconds",
            "When the token expires, in seconds since the epoch.",
            vitals.token_expires_at / _SECOND,
        )


def _events(metrics: Metrics) -> Iterator[Metric]:
    changes = CounterMetricFamily(
        "prt_changes", "Row changes by table, event and source.", labels=["table", "event", "source"]
    )
    for (table, event, source), count in metrics.changes.items():
        changes.add_metric([label(table), event, source], count)
    yield changes
    yield _by_topic("prt_broadcasts", "Broadcasts by topic.", metrics.broadcasts)
    yield _by_topic(
        "prt_presence_events", "Joins, leaves and updates of presence by topic.", metrics.presences
    )
    yield _counter("prt_malformed_frames", "Frames that could not be read.", metrics.malformed)
    yield _histogram(
        "prt_change_lag_seconds", "Time from the commit of a change to its arrival.", metrics.lag
    )


def _completeness(metrics: Metrics) -> Iterator[Metric]:
    gaps = CounterMetricFamily(
        "prt_gaps", "Windows in which events may have been missed, by outcome.", labels=["outcome"]
    )
    gaps.add_metric(["complete"], metrics.gaps - metrics.incomplete_gaps)
    gaps.add_metric(["incomplete"], metrics.incomplete_gaps)
    yield gaps
    yield _counter("prt_recovered_changes", "Changes that were brought back after a gap.", metrics.recovered)
    yield _counter(
        "prt_verification_losses", "Changes that a verification found to be missing.", metrics.losses
    )
    verified = GaugeMetricFamily(
        "prt_verified_timestamp_seconds",
        "When a table was last found to be complete, in seconds since the epoch.",
        labels=["table"],
    )
    for one in metrics.verification.verified:
        verified.add_metric([label(one.table)], (one.verified_at or 0) / _SECOND)
    yield verified


def _plan(metrics: Metrics, now: int) -> Iterator[Metric]:
    used = GaugeMetricFamily(
        "prt_plan_usage", "What this watch takes of a limit; rates are per second.", labels=["resource"]
    )
    most = GaugeMetricFamily(
        "prt_plan_usage_max", "The most that this watch took of a limit.", labels=["resource"]
    )
    limit = GaugeMetricFamily("prt_plan_limit", "Limit of the plan.", labels=["resource", "plan"])
    for use in metrics.usage.uses(now):
        used.add_metric([use.name], use.now)
        most.add_metric([use.name], use.most)
        limit.add_metric([use.name, metrics.plan], use.limit)
    yield from (used, most, limit)
    messages = metrics.vitals.cost.messages if metrics.vitals else 0
    yield _counter("prt_quota_messages", "Messages that count towards the project's quota.", messages)


def _canary(metrics: Metrics) -> Iterator[Metric]:
    last = metrics.last_beat
    yield _counter("prt_canary_rows", "Canary rows that were to be written.", metrics.beats)
    if last is not None:
        yield gauge("prt_canary_up", "1 if the last canary row arrived.", last.delay is not None)
        yield gauge(
            "prt_canary_timestamp_seconds",
            "When the last canary row was written, in seconds since the epoch.",
            last.at / _SECOND,
        )
    yield _histogram(
        "prt_canary_delay_seconds", "Time from the write of a canary row to its arrival.", metrics.arrivals
    )


def _counter(name: str, about: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(name, about, value=value)


def _by_topic(name: str, about: str, counts: Mapping[str, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, about, labels=["topic"])
    for topic, count in counts.items():
        family.add_metric([label(topic)], count)
    return family


def _histogram(name: str, about: str, histogram: Histogram) -> HistogramMetricFamily:
    buckets = [("+Inf" if bound is None else str(bound), count) for bound, count in histogram.cumulative()]
    return HistogramMetricFamily(name, about, buckets=buckets, sum_value=histogram.total)
