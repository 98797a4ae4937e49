"""Findings about an app, made by functions without clock and I/O from the observed traffic.

A finding is only made if the traffic proves it. Each module contains the findings about one subject, and
`judge` runs all of them. The sentences of findings belong in `views/drawing/`.
"""
