"""The embedded PostgreSQL and the ways to talk to it: its process, connections, statements, migrations.

What the database holds belongs to `local/seed/`.
"""
