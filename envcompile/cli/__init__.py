"""The `envc` command: the only room that talks to people."""

from envcompile.cli.entry import entry, main

__all__ = ["entry", "main"]
