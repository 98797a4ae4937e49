"""The protocol as values: frames, a join's configuration, bindings, tokens. Pure.

What a socket does with them belongs to `local/realtime/channels/`.
"""
