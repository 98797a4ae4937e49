"""Sources of live events: subscriptions, the supervisor that reconnects, the roster, sending.

One connection's frames belong to `stream/socket/`, lost events to `stream/recovery/`.
"""
