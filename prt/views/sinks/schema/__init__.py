"""The keys of the NDJSON lines, as one table that the JSON Schema, the manual and the tests use.

The encoding is in `ndjson`.
"""
