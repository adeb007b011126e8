"""What is found in an application as people are told it: made once, and laid among that of all other applications."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from hashlib import sha256
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Final

import msgspec

from envcompile.check.finding import RANK
from envcompile.check.formats.text import body_of, hint_of
from envcompile.check.report import identity, is_yaml, order, together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from envcompile.check.finding import Finding, Severity
    from envcompile.check.report import Group

_GRAVEST: Final = max(RANK.values())
_GRADES: Final[dict[str, Severity]] = {str(_GRAVEST - rank): grade for grade, rank in RANK.items()}
"""What a key begins with -> the grade."""
_RULE: Final = 4
"""The part of a key that is the rule."""


class Sheet(msgspec.Struct, array_like=True, frozen=True):
    """The findings of an application in all environments, those that say the same of the same place as one."""

    keys: list[str]
    """What sorts each of them among all."""
    names: list[int]
    """A number for what each says of which place: two of the same one are one."""
    texts: list[str]
    """Each as it is told, without its hint."""
    fixes: list[int]
    """The number of each one's hint."""
    hints: list[str]
    findings: int
    """How many there are, each environment's counted."""
    mends: tuple[str, ...]
    """The rules of those that `envc fix` has an answer for."""


def sheet_of(findings: Iterable[Finding]) -> Sheet | None:
    """The findings of an application as they are told; None where a name in them can be no part of a key.

    Args:
        findings: those of all environments, one environment behind the other.
    """
    ordered = sorted(findings, key=order)
    groups = together(ordered)
    keys = [_key(group.finding) for group in groups]
    if any(key.count("\0") != _PARTS - 1 for key in keys):
        return None
    hints = {group.finding.fix: 0 for group in groups}
    numbers = {fix: number for number, fix in enumerate(hints)}
    return Sheet(
        keys,
        [_name(group.finding) for group in groups],
        [body_of(group) for group in groups],
        [numbers[group.finding.fix] for group in groups],
        [*hints],
        len(ordered),
        tuple(sorted({one.rule for one in ordered if one.mends and is_yaml(one)})),
    )


def groups_of(findings: Iterable[Finding]) -> list[Group]:
    """The findings of an application as its sheet has them.

    Args:
        findings: as `sheet_of` takes them.
    """
    return together(sorted(findings, key=order))


_PARTS: Final = 7
"""Of a key."""


def _key(finding: Finding) -> str:
    """The same order as `report.order`, as one text: that of its parts, which hold no character 0."""
    rank, file, line, column, rule, resource, field = order(finding)
    return f"{rank + _GRAVEST}\0{file}\0{line:012d}\0{column:012d}\0{rule}\0{resource}\0{field}"


def _name(finding: Finding) -> int:
    return int.from_bytes(sha256(msgspec.json.encode(identity(finding))).digest()[:8])


class Sheets:
    """The findings of all applications, in the order of a report.

    Args:
        sheets: those of each, no two of which hold the same key or name.
        findings_of: gives the findings of the one of a number: few are asked for.
    """

    def __init__(self, sheets: Sequence[Sheet], findings_of: Callable[[int], Iterable[Finding]]) -> None:
        self._sheets = sheets
        self._findings_of = findings_of
        self._keys = [*chain.from_iterable([sheet.keys for sheet in sheets])]
        self._order = sorted(range(len(self._keys)), key=self._keys.__getitem__)
        self._groups: dict[int, list[Group]] = {}

    @classmethod
    def of(cls, sheets: Sequence[Sheet], findings_of: Callable[[int], Iterable[Finding]]) -> Sheets | None:
        """All findings; None where those of two applications may be one, or it is not known which comes first."""
        names = {*chain.from_iterable([sheet.names for sheet in sheets])}
        keys = {*chain.from_iterable([sheet.keys for sheet in sheets])}
        if len(names) != sum(len(sheet.names) for sheet in sheets):
            return None
        own = sum(len({*sheet.keys}) for sheet in sheets)
        return cls(sheets, findings_of) if len(keys) == own else None

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def findings(self) -> int:
        """How many findings there are, each environment's counted."""
        return sum(sheet.findings for sheet in self._sheets)

    @property
    def mends(self) -> list[str]:
        """The rules of those that `envc fix` has an answer for."""
        return sorted({*chain.from_iterable([sheet.mends for sheet in self._sheets])})

    def counts(self) -> Counter[Severity]:
        """How many there are of each grade."""
        return Counter([_GRADES[key[0]] for key in self._keys])

    def rest(self, shown: int) -> dict[str, Counter[Severity]]:
        """Of each rule how many there are of each grade behind the first."""
        found: dict[str, Counter[Severity]] = {}
        for at in self._order[shown:]:
            key = self._keys[at]
            found.setdefault(key.split("\0", _RULE + 1)[_RULE], Counter())[_GRADES[key[0]]] += 1
        return found

    def first(self, count: int) -> list[Group]:
        """The gravest."""
        ends = [*accumulate(len(sheet.keys) for sheet in self._sheets)]
        found = []
        for at in self._order[:count]:
            number = bisect_right(ends, at)
            if number not in self._groups:
                self._groups[number] = groups_of(self._findings_of(number))
            found.append(self._groups[number][at - ends[number]])  # from the end of its sheet
        return found

    def text(self) -> str:
        """All of them one under the other, each hint with the first that it mends: as `as_text` gives it."""
        return "\n".join(self._told())

    def _told(self) -> list[str]:
        texts = [*chain.from_iterable([sheet.texts for sheet in self._sheets])]
        fixes = [*chain.from_iterable([map(sheet.hints.__getitem__, sheet.fixes) for sheet in self._sheets])]
        told = [*map(texts.__getitem__, self._order)]
        behind = range(len(told) - 1, -1, -1)
        first = dict(zip(map(fixes.__getitem__, reversed(self._order)), behind, strict=True))  # the last one put holds
        for fix, at in first.items():
            told[at] += hint_of(fix) if fix else ""
        return told
