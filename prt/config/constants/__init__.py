"""Constants of Supabase and of the seed: the limits of plans, and the names of tables and variables.

What a user can set is in the parent package.
"""
