"""The state of a person's work in a live view: selection, search, filter, details and pause.

The code is a pure function of keys and kept events. `app/keyboard` reads the keys, and `views/panels` draws
the state.
"""
