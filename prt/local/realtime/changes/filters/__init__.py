"""The filter of a binding: its grammar, and its evaluation as PostgreSQL would.

Which rows a role may see is decided by `changes/visibility.py`.
"""
