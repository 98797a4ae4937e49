"""Calls of database functions, `/rpc/NAME`.

Requests on tables are in the package above.
"""
