"""Outputs: what turns events into bytes or into a picture of a terminal, and the schema of the lines.

A sink decides nothing about events; what a view shows belongs to `views/panels/`.
"""
