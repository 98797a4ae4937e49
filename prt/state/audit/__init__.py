"""The accounts of `prt audit`: committed changes, those that arrived, and the causes of losses.

The code is pure; `prt.stream.database` reads the write-ahead log and evaluates policies and filters.
"""
