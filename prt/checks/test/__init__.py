"""The parts of `prt test`: the runner, the tools of a check, the suites and the reports.

The diagnosis of `prt status` belongs to `checks/status/`.
"""
