"""The suites of `prt test`, one module each."""
