"""The HTTP and WebSocket server of an embedded project: one port, the check of API keys, and the keys.

The routes themselves are in `auth/`, `rest/` and `realtime/`.
"""
