"""Alerts in the output, and their effect on the exit code."""

from __future__ import annotations

from msgspec import structs

from prt.events import End, Event
from prt.state.conditions.alerts import Alerts, Rule, is_as_severe
from prt.views.sinks.output import Output, Passing


class AlertOutput(Passing):
    """An output that passes events on to another one, and adds the alerts that they raise.

    `least` is the severity from which an alert turns exit code 0 into 1; None if no alert does.
    """

    def __init__(self, output: Output, alerts: Alerts, *, least: str | None = None) -> None:
        super().__init__(output)
        self._alerts = alerts
        self._least = least

    def write(self, event: Event) -> None:
        """Write an event, then the alerts that it raises."""
        self._output.write(event)
        for alert in self._alerts.apply(event):
            self._output.write(alert)

    def close(self, end: End) -> None:
        """Close the other output; alerts can change the exit code."""
        self._output.close(structs.replace(end, exit_code=self.exit_code(end.exit_code)))

    def exit_code(self, code: int) -> int:
        """Return `code`, or 1 if it's 0 and an alert was severe enough."""
        least = self._least
        if code or least is None:
            return code
        return int(any(is_as_severe(severity, least) for severity in self._alerts.counts))

    def idle_rules(self) -> list[Rule]:
        """Return the rules that rows arrived for, but no row with the numbers that the rule compares."""
        return self._alerts.idle_rules()
