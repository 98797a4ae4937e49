"""Constants of Supabase and of the seed: the limits of plans, the names of tables.

What a user may set belongs one folder up.
"""
