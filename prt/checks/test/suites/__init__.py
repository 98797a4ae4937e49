"""The suites of `prt test`, one module for each."""
