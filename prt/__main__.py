"""`python -m prt`."""

from prt.cli.entry import main

if __name__ == "__main__":
    main()
