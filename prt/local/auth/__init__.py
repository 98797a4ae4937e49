"""The part of Supabase Auth under `/auth/v1` that sign-in needs: passwords, sessions, refresh tokens, users.

https://supabase.com/docs/reference/self-hosting-auth/introduction
"""

from prt.local.auth.endpoint import routes

__all__ = ["routes"]
