"""The state of a person's work in a live view: selection, search, filter, details, pause.

Everything here is a pure function of the keys and of the events that are kept. How keys arrive belongs to
`app/keyboard`, and how it looks belongs to `views/panels`.
"""
