"""The filter of a binding: Realtime's grammar, and the same conditions as parameters of PostgREST.

Comparing changes with conditions on this machine belongs to `state/conditions/`.
"""
