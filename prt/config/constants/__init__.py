"""What is known of Supabase and of the seed without asking: the limits of plans, the names of tables.

What a user may set belongs one folder up.
"""
