"""What of a project may leave this machine: nothing of files that git ignores, and no value of a Secret in clear."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from envcompile.sources import ParsedFiles
    from envcompile.sources.scans import FileScan
    from envcompile.units.plan import EnvironmentPlan
    from envcompile.units.planned import PlannedUnit

_PLAINTEXT = "plaintext"


class Sharing:
    """Tells what may be given to another machine, or to a place that others read.

    Args:
        is_ignored: tells whether git ignores a file.
        parsed: what was read, which knows the imports of evaluated files.
    """

    def __init__(self, is_ignored: Callable[[str], bool], parsed: ParsedFiles) -> None:
        self._is_ignored = cache(is_ignored)
        self._parsed = parsed

    def shares_file(self, path: str) -> bool:
        """Tell whether something may be told of a file, be it its digest alone."""
        return not self._is_ignored(path)

    def shares_results(self, plan: EnvironmentPlan) -> bool:
        """Tell whether others may read what an environment compiles to.

        They may not where Secrets are written in clear, whose digests others of its resources may carry.
        """
        return plan.sources.settings.secret_backend != _PLAINTEXT and self.shares_settings(plan)

    def shares_settings(self, plan: EnvironmentPlan) -> bool:
        """Tell whether all files that hold an environment's settings are public."""
        return not any(map(self._is_ignored, plan.sources.own_files))

    def units_of(self, plan: EnvironmentPlan) -> frozenset[int]:
        """The numbers of the units that may be shared: no file of theirs is private, nor has a Secret in clear.

        Whole files count, not just the documents that a unit takes from them: they travel with their bytes.
        """
        if not self.shares_settings(plan):
            return frozenset()
        is_plaintext = plan.sources.settings.secret_backend == _PLAINTEXT
        imports = self._parsed.imports()
        private = {
            (number, file.path)
            for number, scan in enumerate(plan.sources.scans)
            for file in scan.files
            if self._is_ignored(file.path)
            or any(map(self._is_ignored, imports.get(file.path, ())))
            or _holds_secrets(file, is_plaintext=is_plaintext)
        }
        return frozenset(
            number for number, unit in enumerate(plan.units) if unit.may_be_remembered and not _has_any(unit, private)
        )


def _has_any(unit: PlannedUnit, private: set[tuple[int, str]]) -> bool:
    return bool(private) and any((part.layer, part.path) in private for part in unit.parts)


def _holds_secrets(file: FileScan, *, is_plaintext: bool) -> bool:
    if any(head.holds_literals for head in file.heads):
        return True
    return is_plaintext and (
        any(head.kind == "Secret" for head in file.heads)
        or any(target.kind in {None, "Secret"} for target in file.targets)
    )
