"""From copies of what passed to events and to the state of connections and channels.

It holds no secret: a token becomes its role, user and expiry at once. Judging belongs in `findings/`.
"""
