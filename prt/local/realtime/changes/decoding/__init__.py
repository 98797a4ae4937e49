"""The replication stream and its decoding: slots, the catalog, and values as JSON.

The package above decides which subscribers receive a change.
"""
