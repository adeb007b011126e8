"""Where words go: data to stdout, everything for people to stderr."""

from __future__ import annotations

import sys


def data(text: str) -> None:
    """Print a line of data."""
    sys.stdout.write(f"{text}\n")


def raw(text: str) -> None:
    """Print data that brings its own line ends."""
    sys.stdout.write(text)


def tell(text: str) -> None:
    """Tell people something; scripts that read stdout do not see it, and where both are one screen the order holds."""
    sys.stdout.flush()
    sys.stderr.write(f"{text}\n")
