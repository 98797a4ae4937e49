"""PostgreSQL's logical replication protocol, for all code that reads a database's change log.

It contains the decoding and the conversation with a WAL sender. The choice of changes belongs elsewhere.
"""
