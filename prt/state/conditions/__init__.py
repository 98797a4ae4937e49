"""Conditions on events: the end of a watch, expectations, patterns of events, and rules for alerts.

The conditions are pure; `app/` acts on them.
"""
