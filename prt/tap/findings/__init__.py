"""Findings about an app, made by pure reducers over what was observed: only what the wire proves.

Each module holds the findings of one subject; `judge` runs all of them. Sentences belong in `views/drawing/`.
"""
