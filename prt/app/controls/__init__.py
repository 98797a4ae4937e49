"""Actions of keys beyond the view: they seek in a recording, or write a row.

`app/keyboard` decodes keys, and `state/viewport` defines their meaning.
"""
