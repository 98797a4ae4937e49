"""Recordings of a watch: their files and lines, read back.

`views/sinks/recorder.py` writes them.
"""
