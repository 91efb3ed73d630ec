"""`python -m gesta.server` is `gesta`."""

from gesta.server.cli import main

if __name__ == "__main__":
    main()
