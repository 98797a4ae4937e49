"""The use case of `prt audit`: its request, the run that feeds one account, and the exit code.

The accounts themselves belong to `prt.state.audit`, the direct connection to `prt.stream.database`.
"""
