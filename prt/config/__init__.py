"""Settings and their sources; this package alone reads the environment.

Settings that only one command has belong to `cli/options/`.
"""
