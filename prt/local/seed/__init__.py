"""The content of an embedded database: Supabase's own schemas, the seed's tables, people and traffic.

A user's own migrations are run by `local/postgres/`.
"""
