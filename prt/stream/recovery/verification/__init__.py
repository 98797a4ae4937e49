"""Verification: whether every row that REST shows was emitted, checked window by window during the watch.

Glossary of this package:

- *window*: the time between the last verified read of a table and the present one, by the server's clock;
- *suspect*: a row of a window that was not emitted with its date or a later one;
- *lost*: said of a suspect once the stream has passed it and a second read has confirmed it;
- *sign*: an observation that makes a loss likely and starts a verification at once.

The gap that a loss is reported with, and its backfill, belong to `prt.stream.recovery`.
"""
