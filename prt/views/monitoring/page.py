"""Pages of metrics in Prometheus's text format."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest, write_to_textfile
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from prt.errors import UsageError

Families = Callable[[], Iterable[Metric]]
"""Makes the metrics of a page as they are now."""


class _Reading(Collector):
    def __init__(self, families: Families) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families()


def registry_of(families: Families) -> CollectorRegistry:
    """Return the registry of a page whose metrics are made anew each time that it is read."""
    registry = CollectorRegistry()
    registry.register(_Reading(families))
    return registry


def page_text(families: Families) -> str:
    """Return the page."""
    return generate_latest(registry_of(families)).decode()


def replace_page(path: Path, families: Families) -> None:
    """Write the page to a file, which holds a whole page at any time.

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
    """Return a text that can be the value of a label, which has to be UTF-8."""
    return text.encode(errors="replace").decode()
