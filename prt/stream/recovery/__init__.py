"""Gaps of the stream: how they are found, and how the rows that were missed in them are read over REST.

Glossary of this package:

- *gap*: a window of time in which events may have been missed;
- *progress*: how far each read of a table has come;
- *emitted* row: a row that was written to the outputs;
- *delay*: holds rows back until the stream has had the time to deliver them itself.
"""
