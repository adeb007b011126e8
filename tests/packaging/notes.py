"""The version of a release and its section of the changelog.

`python -m tests.packaging.notes version` prints the one, `… section VERSION` the other.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from envcompile import __version__

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"


class NoSectionError(Exception):
    """The changelog says nothing of a version."""


def section(text: str, version: str) -> str:
    """What a changelog says of one version, without its heading.

    Args:
        text: a changelog as Keep a Changelog has it.
        version: a version without a leading `v`.

    Raises:
        NoSectionError: there is no such section, or it is empty.
    """
    found = re.search(rf"^## \[?{re.escape(version)}\]?(?: [^\n]*)?\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    said = found[1].strip() if found else ""
    if not said:
        raise NoSectionError(f"CHANGELOG.md has no section `## {version}` that says something")
    return f"{said}\n"


def main(arguments: list[str]) -> int:
    """Print what was asked for; 1 when the changelog does not have it."""
    match arguments:
        case ["version"]:
            sys.stdout.write(f"{__version__}\n")
        case ["section", version]:
            try:
                sys.stdout.write(section(CHANGELOG.read_text(encoding="utf-8"), version))
            except NoSectionError as error:
                sys.stderr.write(f"{error}\n")
                return 1
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
