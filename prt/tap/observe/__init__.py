"""Observation of the proxy's traffic: copies become messages, and the state of connections and channels.

No secret is kept here: a token is reduced to its role, user and expiry at once. Judging belongs in
`findings/`.
"""
