"""The views and the parts of a screen, one module each: they turn state into Rich renderables.

Code that several panels and sinks share is in `views/drawing/`, and the state itself in `state/`.
"""
