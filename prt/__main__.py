"""`python -m prt`."""

from prt.cli.main import main

if __name__ == "__main__":
    main()
