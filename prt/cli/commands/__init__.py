"""One module for each command of `prt`: its options, its help, and the call of its use case in `app/`."""
