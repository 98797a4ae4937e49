"""Observation: copies of the traffic become events and the state of connections and channels.

It holds no secret: a token becomes its role, user and expiry at once. Judging belongs in `findings/`.
"""
