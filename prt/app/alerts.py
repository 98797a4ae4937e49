"""Alerts among the events that are written, and what they make of the exit code."""

from __future__ import annotations

from msgspec import structs

from prt.events import End, Event
from prt.state.conditions.alerts import Alerts, Rule, is_as_severe
from prt.views.sinks.output import Output, Passing


class AlertOutput(Passing):
    """An Output that follows a change with the alerts it raises.

    `least` is the severity from which on an alert makes exit code 1 of 0, None if none does.
    """

    def __init__(self, output: Output, alerts: Alerts, *, least: str | None = None) -> None:
        super().__init__(output)
        self._alerts = alerts
        self._least = least

    def write(self, event: Event) -> None:
        """Pass events on to the output, each followed by the alerts that it raised."""
        self._output.write(event)
        for alert in self._alerts.apply(event):
            self._output.write(alert)

    def close(self, end: End) -> None:
        """Close the output."""
        self._output.close(structs.replace(end, exit_code=self.exit_code(end.exit_code)))

    def exit_code(self, code: int) -> int:
        """Return the exit code of a command that would have ended with `code`."""
        least = self._least
        if code or least is None:
            return code
        return int(any(is_as_severe(severity, least) for severity in self._alerts.counts))

    def idle_rules(self) -> list[Rule]:
        """Return the rules that rows came for, none of which could be judged."""
        return self._alerts.idle_rules()
