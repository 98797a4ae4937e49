"""Recordings of a watch: their lines and their files, read back.

They are written by `views/sinks/recorder.py`.
"""
