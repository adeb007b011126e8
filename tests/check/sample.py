"""A drawn sample of what the checks find in real repositories, for somebody to judge one by one.

`python -m tests.check.sample FOLDER [--seed 7] [--count 100] [--severity warning]` brings every repository below FOLDER
over as `envc init --from-manifests` does, checks all environments, and prints findings that were drawn: rule, place,
resource, what is said, and the lines around the place. A finding that several environments have counts once, and so
does what one rule says of copies of one resource. The first line tells how many there were to draw from, by rule.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.check import check
from envcompile.adopt import from_manifests
from envcompile.errors import EnvcError
from envcompile.units.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.finding import Finding

_AROUND = 6


class Drawn(NamedTuple):
    """One finding of one repository."""

    repository: str
    finding: Finding
    lines: tuple[str, ...]
    """Those around its place."""


def main() -> int:
    """Print the sample."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder of repositories of manifests")
    parser.add_argument("--seed", type=int, default=7, help="which ones are drawn")
    parser.add_argument("--count", type=int, default=100, help="how many")
    parser.add_argument("--severity", default="warning", help="of which grade")
    chosen = parser.parse_args()
    found = [one for path in sorted(chosen.folder.iterdir()) for one in _found(path, chosen.severity)]
    rules = Counter(one.finding.rule for one in found)
    listed = ", ".join(f"{rule} {count}" for rule, count in rules.most_common())
    _say(f"{len(found)} of grade {chosen.severity} in {len({one.repository for one in found})} repositories: {listed}")
    drawn = random.Random(chosen.seed).sample(found, min(chosen.count, len(found)))
    for number, one in enumerate(sorted(drawn, key=lambda one: (one.finding.rule, one.repository)), 1):
        finding = one.finding
        _say(f"\n#{number} {finding.rule} {one.repository} ({finding.environment}) {finding.where}")
        _say(f"{finding.resource.short} {finding.resource.namespace} {finding.field}: {finding.what} | {finding.fix}")
        for line in one.lines:
            _say(f"    {line}")
    return 0


def _found(path: Path, severity: str) -> Iterator[Drawn]:
    """The findings of one repository, each thing once."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "new"
        try:
            from_manifests(path, folder)
            report = check(Project.open(folder), [])
        except EnvcError as error:
            sys.stderr.write(f"{path.name}: {error}\n")
            return
        seen = set()
        for finding in report.findings:
            key = (finding.rule, finding.resource.kind, finding.resource.name, finding.field, finding.what)
            if finding.severity == severity and key not in seen:
                seen.add(key)
                yield Drawn(path.name, finding, tuple(_lines(folder, finding)))


def _lines(folder: Path, finding: Finding) -> Iterator[str]:
    where = finding.where
    if where is None:
        return
    lines = (folder / where.file).read_text(encoding="utf-8").splitlines()
    for number in range(max(0, where.line - _AROUND), min(len(lines), where.line + _AROUND)):
        yield f"{'>' if number == where.line - 1 else ' '} {lines[number]}"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
