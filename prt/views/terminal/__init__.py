"""The terminal of a live view: its frames, its keys, and the copies that keys make.

The content of the screen is in `panels`, and the meaning of keys in `state/viewport`.
"""
