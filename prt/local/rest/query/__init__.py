"""Parsers for a request's parameters: filters, `select`, `order` and windows.

The package above turns the parsed parameters into SQL.
"""
