"""The keys of a terminal: bytes are decoded by a table, and read as long as the terminal is ours.

What a key means belongs to `state/viewport`.
"""
