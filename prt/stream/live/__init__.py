"""Sources of live events: subscriptions, the supervisor that reconnects, the presence roster, and sending.

The frames of one connection belong to `stream/socket/`, and lost events to `stream/recovery/`.
"""
