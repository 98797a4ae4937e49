"""The direct connection to a project's database: its change log, its judgements and its state.

Only `prt audit` uses it. The replication protocol belongs to `prt.postgres`, and the accounting of changes to
`prt.state`.
"""
