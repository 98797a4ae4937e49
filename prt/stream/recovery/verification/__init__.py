"""Verification: whether every row that REST shows was emitted, window by window, while the stream goes on.

The glossary of this package: a *window* is the time between the last verified read of a table and the
present one, by the server's clock; a *suspect* is a row of a window that was not emitted with its date or
a later one; a suspect is *lost* once the stream has passed it and a second read has confirmed it; a *sign*
is an observation that makes a loss likely and starts a verification at once. What a loss is answered with
(the gap and its backfill) belongs to `prt.stream.recovery`.
"""
