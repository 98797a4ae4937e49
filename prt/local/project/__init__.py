"""The life of an embedded project: its options, its start and end, and how others find it.

What it serves belongs to `local/serving/`.
"""
