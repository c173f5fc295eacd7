"""The `fiksmelding` command."""
