"""Sign-in as Supabase Auth serves it under `/auth/v1`: passwords, sessions, refresh tokens, users.

https://supabase.com/docs/reference/self-hosting-auth/introduction
"""

from prt.local.auth.endpoint import routes

__all__ = ["routes"]
