"""Keys that act beyond the view: they seek in a recording, or write a row.

How a key is decoded belongs to `app/keyboard`, what it means to `state/viewport`.
"""
