"""The content of an embedded database: Supabase's schemas, the seed's tables and users, and the demo traffic.

`local/postgres/` runs a user's own migrations.
"""
