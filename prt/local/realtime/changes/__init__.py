"""From the replication stream to the subscribers that may see each change.

Sockets and topics belong to `local/realtime/channels/`.
"""
