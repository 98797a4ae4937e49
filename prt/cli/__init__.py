"""The command line: the commands, their options and help, completion, and the reports of errors."""
