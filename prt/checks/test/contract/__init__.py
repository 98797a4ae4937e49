"""A project's Realtime as it is agreed, in a file, and the differences that are found.

Connections and rows belong to the suites, which observe; this package counts and compares.
"""
