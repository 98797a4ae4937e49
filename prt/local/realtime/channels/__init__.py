"""WebSockets and channels: joins, broadcasts, presence, private topics, and broadcasts over HTTP.

Changes of tables are in `local/realtime/changes/`.
"""
