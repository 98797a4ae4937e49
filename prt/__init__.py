"""Watch, test and trust Supabase Realtime from a terminal."""

__version__ = "0.1.0"
