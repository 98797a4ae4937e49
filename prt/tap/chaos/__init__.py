"""Faults that the proxy makes on purpose: the switches, their schedule, and the judgement of a recovery.

Forwarding without a fault belongs in `proxy/`.
"""
