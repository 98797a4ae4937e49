"""Presentation: `panels` draw state for a terminal, `sinks` encode events as bytes for pipes and files."""
