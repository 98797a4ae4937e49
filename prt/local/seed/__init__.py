"""What fills an embedded database: Supabase's own ground, the seed's tables, people and traffic.

A user's own migrations are run by `local/postgres/`.
"""
