"""Pages of metrics in Prometheus's text format."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest, write_to_textfile
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from prt.errors import UsageError

Families = Callable[[], Iterable[Metric]]
"""Builds the current metrics of a page."""


class _Reading(Collector):
    def __init__(self, families: Families) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families()


def registry_of(families: Families) -> CollectorRegistry:
    """Return a registry that builds the metrics anew each time the page is read."""
    registry = CollectorRegistry()
    registry.register(_Reading(families))
    return registry


def page_text(families: Families) -> str:
    """Return the page in Prometheus's text format."""
    return generate_latest(registry_of(families)).decode()


def replace_page(path: Path, families: Families) -> None:
    """Write the page to a file. The file is replaced at once, so that it's never half written.

    Raises:
        UsageError: The file can't be written.
    """
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is not a regular file", "name a FILE.prom, which is replaced")
    try:
        write_to_textfile(str(path), registry_of(families))
    except OSError as exc:
        raise UsageError(
            f"{path} can't be written: {exc.strerror}", "name a FILE.prom in a folder of yours"
        ) from exc


def gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    """Return a metric without labels."""
    return GaugeMetricFamily(name, about, value=value)


def label(text: str) -> str:
    """Return `text` as the value of a label, which must be valid UTF-8."""
    return text.encode(errors="replace").decode()
