"""`python -m capitate` is the command line."""

from capitate.cli import main

if __name__ == "__main__":
    main()
