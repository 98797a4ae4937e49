"""What monitoring systems read: pages of metrics for Prometheus, and the output of a monitoring plugin.

What is counted and when it ends belong to `state/` and `app/`.
"""
