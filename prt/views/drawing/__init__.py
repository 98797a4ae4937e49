"""Text that panels and sinks share: escaped cells, formatted figures, and sentences about causes.

Nothing in this package depends on a screen or an output.
"""
