"""What the NDJSON lines hold, as tables: the JSON Schema and the manual's reference are made from them.

How a line is written belongs to `ndjson`.
"""
