"""The use cases behind the commands: watching, sending, updating, notifications and test runs.

Nothing in this package depends on Typer or on the text of options: a command turns its options into one
request and calls this package.
"""
