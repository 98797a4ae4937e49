"""The output formats of a test run, one module for each."""
