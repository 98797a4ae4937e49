"""Outputs, which turn events into bytes or into a picture of a terminal, and the schema of the NDJSON lines.

An output makes no decisions about events, and `views/panels/` decides what a view shows.
"""
