"""All suites, in the order in which they run."""

from __future__ import annotations

from prt.checks.suites import changes, channel, connect

SUITES = (connect.SUITE, channel.SUITE, changes.SUITE)
