"""A request's parameters, parsed into values: filters, `select`, order.

What becomes SQL stands one folder up.
"""
