"""The findings that a pull request brings, as a table for its comment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from envcompile.text import escaped, markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

_CODE = re.compile(r"(`[^`]+`)")
_NO_CODE = re.compile(r"[`|]|[^\S ]")
_REPLACEMENT = "\ufffd"


class FindingRow(NamedTuple):
    """One new finding, with every environment that it is new in."""

    grade: str
    rule: str
    what: str
    environments: tuple[str, ...]
    resource: str
    place: str
    """`file:line`; empty when no file speaks of the resource."""


class NewFindings(NamedTuple):
    """What is found now and was not before, the gravest first, and how much is found no longer."""

    rows: tuple[FindingRow, ...] = ()
    gone: int = 0
    notes: tuple[str, ...] = ()
    """What is not evaluated, each in a sentence."""

    def markdown(self, most: int | None = None) -> str:
        """The section; empty when nothing is new.

        Args:
            most: bytes it may take; rows that do not fit are left out whole and counted.
        """
        if not self.rows:
            return self._notes()
        rows = [_row(row) for row in self.rows]
        kept = len(rows)
        if most is not None:
            room = most - len(self._written([], len(rows)).encode())
            kept = 0
            while kept < len(rows) and (room := room - len(rows[kept].encode()) - 1) >= 0:
                kept += 1
        return self._written(rows[:kept], len(rows) - kept)

    def _written(self, rows: Sequence[str], left_out: int) -> str:
        head = [
            "#### New findings",
            "",
            "| grade | finding | environment | resource | place |",
            "|---|---|---|---|---|",
        ]
        tail = []
        if left_out:
            many = "more findings are" if left_out > 1 else "more finding is"
            tail += ["", f"{left_out} {many} not shown here: `envc check` prints all."]
        if self.gone:
            tail += ["", f"{self.gone} {'finding' if self.gone == 1 else 'findings'} of before went away."]
        return "\n".join([*head, *rows, *tail]) + "\n" + (f"\n{self._notes()}" if self.notes else "")

    def _notes(self) -> str:
        return "".join(f"- {_prose(note)}\n" for note in self.notes)


def _row(row: FindingRow) -> str:
    cells = [
        row.grade,
        f"{_code(row.rule)}: {_prose(row.what)}",
        ", ".join(f"**{markdown(name)}**" for name in row.environments),
        _code(row.resource),
        _code(row.place) if row.place else "",
    ]
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    """A text as code that ends neither itself nor its cell."""
    return f"`{escaped(_NO_CODE.sub(_REPLACEMENT, text))}`"


def _prose(text: str) -> str:
    """A sentence with code in backticks; everything else in it is plain text and notifies nobody."""
    line = " ".join(text.split())
    return "".join(_code(part[1:-1]) if number % 2 else _plain(part) for number, part in enumerate(_CODE.split(line)))


def _plain(text: str) -> str:
    """Words between pieces of code; the spaces around them stay."""
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{before}{markdown(text)}{after}" if text.strip() else text
