"""The metrics of a watch while it runs: where they are put, and the canary that measures the way of a change.

What is counted belongs to `state/`, how it is written to `views/monitoring/`.
"""
