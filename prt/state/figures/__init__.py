"""Figures over time in flat memory: lag, rate, and the use of a plan's limits.

How a figure is written belongs to `views/drawing/`.
"""
