"""The settings and their sources. Only this package reads the environment.

Settings that belong to one command are in `cli/options/`.
"""
