"""The use case of `prt tap`: its request, the run from a request to an exit code, and its source of events.

What forwards, observes and judges belongs in `prt/tap/`.
"""
