"""Changes of tables: from the replication stream to frames for the subscribers that may see them.

WebSockets and topics are in `local/realtime/channels/`.
"""
