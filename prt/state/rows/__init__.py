"""Rows and their keys: the last known rows, and how rows are merged, compared and batched.

`stream/` reads rows from a project.
"""
