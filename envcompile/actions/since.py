"""Since when the line is as it is that a finding points at, by whom and by which commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.check.finding import Since
from envcompile.git.lines import line_origins

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from envcompile.check.finding import Finding
    from envcompile.git.lines import LineOrigin


def with_origins(root: Path, findings: Iterable[Finding], revision: str | None = None) -> tuple[Finding, ...]:
    """The findings with who last wrote their lines; as they are where git knows nothing of the file.

    Args:
        root: the project's folder.
        findings: each file of theirs is asked of git once.
        revision: the commit that they were found in; the folder when left out.
    """
    files: dict[str, dict[int, LineOrigin]] = {}
    told = []
    for found in findings:
        origin = None
        if found.where is not None:
            if found.where.file not in files:
                files[found.where.file] = line_origins(root, found.where.file, revision)
            origin = files[found.where.file].get(found.where.line)
        told.append(found._replace(since=Since(*origin)) if origin is not None else found)
    return tuple(told)
