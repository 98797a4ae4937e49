"""The part of PostgREST that Supabase's clients use, under `/rest/v1`.

One direction: request → `query` (parsed parameters) → SQL text with parameters → one transaction as the
role of the token → response. Nothing about the schema is remembered between requests, so DDL is seen at once.
https://docs.postgrest.org/en/stable/references/api.html
"""

from prt.local.rest.endpoint import routes

__all__ = ["routes"]
