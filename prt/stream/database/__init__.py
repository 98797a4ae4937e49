"""The direct connection to a project's database: its change log, its judgements, its state.

Only `prt audit` uses it. The conversation with a WAL sender belongs to `prt.postgres`, the accounts to
`prt.state`.
"""
