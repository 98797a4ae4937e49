"""Outputs for monitoring systems: pages of metrics for Prometheus, and a plugin's line.

What is counted and when it ends belong to `state/` and `app/`.
"""
