"""Figures over time in constant memory: lag, rate, histograms, and the use of a plan's limits.

The format of figures is in `views/drawing/`.
"""
