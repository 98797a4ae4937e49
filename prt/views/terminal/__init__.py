"""What a terminal gets from a live view: frames, the clipboard, files that a key saves.

Nothing here knows what is on the screen; that belongs to `panels`, and what keys mean to `state/viewport`.
"""
