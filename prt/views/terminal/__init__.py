"""The terminal of a live view: frames, keys, and what the keys keep.

Nothing here knows what is on the screen; that belongs to `panels`, and what keys mean to `state/viewport`.
"""
