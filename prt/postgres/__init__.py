"""The protocol of PostgreSQL's logical replication, for everything that reads a database's change log.

Decoding and the conversation with a WAL sender belong here; which changes are wanted does not.
"""
