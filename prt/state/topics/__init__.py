"""Broadcasts and presence, reduced to what a screen shows.

The states of whole views are in the parent package.
"""
