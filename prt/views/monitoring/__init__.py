"""Outputs for monitoring systems: pages of metrics for Prometheus, and lines of a monitoring plugin.

The counting is in `state/`, and `app/` decides when a run ends.
"""
