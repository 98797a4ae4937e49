"""What a project's Realtime is agreed to do, as a file: its terms, what is observed, and the judgement.

Connections and rows belong to the suites, which observe; this package counts and compares.
"""
