"""Conditions over events: when a watch ends, what it expects, which events match, which rows alert.

Each is pure; what is done about one belongs to `app/`.
"""
