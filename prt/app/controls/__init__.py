"""What the keys of a view do beyond it: seek in a recording, write a row.

How a key is decoded belongs to `app/keyboard`, what it means to `state/viewport`.
"""
