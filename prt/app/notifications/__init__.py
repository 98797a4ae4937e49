"""The use cases of notifications: sending one, and marking some as read.

The view of notifications is in `views/panels`, and their state in `state/notifications.py`.
"""
