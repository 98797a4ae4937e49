"""The checks of `prt test` and `prt status`: each measures, and judges what it measured."""
