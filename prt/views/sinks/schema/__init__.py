"""The content of the NDJSON lines, as one table that the schema, the manual and the tests share.

How a line is written belongs to `ndjson`.
"""
