"""Text that panels and sinks share: escaped cells, figures, and the sentences of causes.

Nothing here knows a screen or an output.
"""
