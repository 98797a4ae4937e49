"""The parts of `prt test`: the runner, what a check works with, its suites and its reports.

The diagnosis of `prt status` belongs to `checks/status/`.
"""
