"""The metrics of a watch: their export while it runs, and the canary that measures the lag of changes.

The counting is in `state/`, and the format in `views/monitoring/`.
"""
