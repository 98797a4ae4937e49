"""The use cases behind the commands: watching, sending, updating, notifications, test runs.

Nothing here knows Typer or an option's text; a command turns its options into one
request and calls this package.
"""
