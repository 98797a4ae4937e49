"""Rows and their keys: the last known ones, merged, compared and batched.

Reading rows from a project belongs to `stream/`.
"""
