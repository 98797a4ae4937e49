"""The tap between an app and its project: the proxy, its faults, and what they observe.

Nothing here prints, draws or reads options; what it finds leaves it as events.
"""
