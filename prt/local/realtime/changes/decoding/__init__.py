"""The replication stream and its decoding: slots, pgoutput, the catalog, values as JSON.

Who gets a change is decided one folder up.
"""
