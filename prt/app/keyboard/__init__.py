"""The keyboard of a terminal: reading bytes while the process is in the foreground, and decoding them.

`state/viewport` defines the meaning of keys.
"""
