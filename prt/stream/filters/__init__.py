"""A binding's filter: Realtime's grammar of it, and the same conditions in PostgREST's words.

What a change is compared with on this machine belongs to `state/conditions/`.
"""
