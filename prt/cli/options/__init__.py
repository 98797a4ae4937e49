"""Parsers that turn the text of options into checked values, and the options that several commands share.

They open no connections, and files only to check them.
"""
