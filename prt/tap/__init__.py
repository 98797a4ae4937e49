"""The tap between an app and its project: a proxy, the faults that it makes, and what it observes.

Nothing here prints, draws or reads options. Everything that is found is reported as events.
"""
