"""Option texts turned into checked values, and the options that commands share.

Nothing here opens a connection or a file that it does not only check.
"""
