"""Where settings come from and what is in force; this package alone reads the environment.

Settings that only one command has belong to `cli/options/`.
"""
