"""The list of all suites in the order in which they run."""

from __future__ import annotations

from prt.checks.test.suites import (
    broadcast,
    changes,
    channel,
    connect,
    latency,
    load,
    notify,
    presence,
    reconnect,
    rls,
    token,
)

SUITES = (
    connect.SUITE,
    channel.SUITE,
    changes.SUITE,
    broadcast.SUITE,
    presence.SUITE,
    notify.SUITE,
    rls.SUITE,
    reconnect.SUITE,
    token.SUITE,
    latency.SUITE,
    load.SUITE,
)
