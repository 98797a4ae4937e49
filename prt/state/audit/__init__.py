"""The accounts of `prt audit`: every committed change against what arrived, and what explains a loss.

Pure; reading the database's log and judging its changes belong to `prt.stream.database`.
"""
