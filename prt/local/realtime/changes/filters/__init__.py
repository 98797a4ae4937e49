"""The filter of a binding: its grammar, and its evaluation with PostgreSQL's results.

`changes/visibility.py` decides which rows a role may see.
"""
