"""A project over REST: sessions, rows read page by page, writes, and broadcasts over HTTP.

Which rows are read after a loss, and why, belongs to `stream/recovery/`.
"""
