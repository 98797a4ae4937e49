"""Completion at TAB: scripts made from the program, and words from what was seen before."""
