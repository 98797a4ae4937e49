"""The bundle of `prt status` for a bug report, without secrets and without values of rows.

The diagnosis itself is in `checks/status/`.
"""
