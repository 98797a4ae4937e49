"""Calls of database functions, `/rpc/NAME`.

Requests on tables stand one folder up.
"""
