"""The one port of an embedded project: its server, its gateway and its keys.

What stands behind a path belongs to `auth/`, `rest/` and `realtime/`.
"""
