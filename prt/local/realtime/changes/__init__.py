"""The changes of tables: from the replication stream to frames for those who may see them.

Sockets and topics belong to `local/realtime/channels/`.
"""
