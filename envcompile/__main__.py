"""`python -m envcompile` is the `envc` command."""

from envcompile.cli import entry

if __name__ == "__main__":
    entry()
