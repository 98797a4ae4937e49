"""The use case of `prt tap`: its request, the run up to the exit code, and its source of events.

Forwarding, observing and judging are in `prt/tap/`.
"""
