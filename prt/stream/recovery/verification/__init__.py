"""Verification: whether every row that REST shows was emitted, checked window by window during the watch.

Glossary of this package:

- *window*: the time between the last verified read of a table and the present one, by the server's clock;
- *suspect*: a row of a window that was not emitted with its date or a later one;
- *passed*: the stream has passed a read once every change that was committed before it must have arrived;
- *lost*: a suspect that the stream has passed and that a second read has confirmed;
- *sign*: an observation that makes a loss likely and starts a verification at once.

The gap that a loss is reported with, and its backfill, belong to `prt.stream.recovery`.
"""
