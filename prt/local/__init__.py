"""The embedded Supabase: a real PostgreSQL, Realtime, REST and sign-in on one port of 127.0.0.1."""
