"""The `fiksmelding` command."""

from fiksmelding.cli.app import main

__all__ = ["main"]
