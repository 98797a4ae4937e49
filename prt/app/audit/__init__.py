"""The use case of `prt audit`: its request, the run that collects the accounts, and the exit code.

The accounts are in `prt.state.audit`, and the direct connection in `prt.stream.database`.
"""
