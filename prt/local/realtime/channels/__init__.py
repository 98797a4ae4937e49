"""Sockets and topics: joins, broadcasts, presence, private channels, and broadcasts over HTTP.

Changes of tables belong to `local/realtime/changes/`.
"""
