"""Contracts: the agreed behaviour of a project's Realtime in a file, and the differences that are found.

Connections and rows belong to the suites, which observe. This package counts and compares.
"""
