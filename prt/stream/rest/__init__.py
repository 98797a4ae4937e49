"""A project over REST: sessions, rows page by page, and broadcasts over HTTP.

What is read after a loss, and why, belongs to `stream/recovery/`.
"""
