"""The checks of `prt test` and `prt status`: each measures something, and judges the measurement."""
