"""`python -m fiksmelding`: the command."""

from fiksmelding.cli import main

if __name__ == "__main__":
    main()
