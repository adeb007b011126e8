"""For people: one finding under the other, each with its place, its subject and its mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.check.report import together

if TYPE_CHECKING:
    from envcompile.check.report import Report


def as_text(report: Report) -> str:
    """The findings; one that several environments share is told once."""
    pieces = []
    for group in together(report.findings):
        found = group.finding
        place = f"{found.where}: " if found.where is not None else ""
        lines = [f"{place}{found.severity} {found.rule}: {found.what}", f"    {group.subject}"]
        if found.fix:
            lines.append(f"    hint: {found.fix}")
        pieces.append("\n".join(lines) + "\n")
    return "\n".join(pieces)
