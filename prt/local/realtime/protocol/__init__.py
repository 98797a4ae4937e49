"""Realtime's protocol as values: frames, join configurations, bindings and tokens. Pure.

The package `local/realtime/channels/` uses them to serve sockets.
"""
