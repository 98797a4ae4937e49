"""The part of PostgREST that Supabase's clients use, under `/rest/v1`.

A request passes these steps: `query` parses the parameters, other modules turn them into one SQL statement
with parameters, and the statement runs in a transaction with the role of the token. The database's schema is
not cached between requests, so that DDL takes effect at once.
https://docs.postgrest.org/en/stable/references/api.html
"""

from prt.local.rest.endpoint import routes

__all__ = ["routes"]
