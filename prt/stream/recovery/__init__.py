"""Gaps: the windows in which events may have been missed, and what is brought back over REST.

The glossary of this package: a *gap* is such a window; *progress* says how far each read of a table has
come; an *emitted* row is one that was written to the outputs; the *delay* holds rows back until the
stream has had its time.
"""
