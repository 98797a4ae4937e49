"""One module for each view or part of a screen: it turns state into Rich renderables.

What several panels and sinks share belongs to `views/drawing/`, and the state itself to `state/`.
"""
