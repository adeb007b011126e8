"""A report about sources that do not compile: what is wrong with them stands where programs look for findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Finding, fingerprint
from envcompile.check.report import Report, order
from envcompile.check.rule import Rule, nothing
from envcompile.model import ResourceId
from envcompile.text import escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from envcompile.errors import Problem
    from envcompile.model import Location

RULE: Final = Rule(
    "compile",
    "error",
    "The sources compile: without that there is nothing that rules could look at.",
    "envc build, which says the same",
    nothing,
)
_NO_RESOURCE: Final = ResourceId("", "", "", "")


def uncompiled(problems: Iterable[Problem], environments: Sequence[str] = ()) -> Report:
    """A report with one finding for each problem, of no resource and no environment.

    Args:
        problems: what is wrong.
        environments: those that were to be checked.
    """
    return Report(tuple(environments), 0, (RULE,), tuple(sorted(map(_finding, problems), key=order)))


def _finding(problem: Problem) -> Finding:
    places = list(_inside(problem))
    first = places[0] if places else None
    what = _one_line(problem.what)
    more = ", ".join(str(place) for place in places[1:])
    if more:
        what += f" (see {more})"
    said = [problem.what, first.file if first is not None else ""]
    print_ = fingerprint(RULE.id, "", _NO_RESOURCE, "", said)
    return Finding(RULE.id, "error", "", _NO_RESOURCE, "", what, _one_line(problem.fix), print_, first)


def _inside(problem: Problem) -> Iterator[Location]:
    """The places in the project, which alone have a line in a review."""
    return (place for place in problem.where if not place.file.startswith("/"))


def _one_line(text: str) -> str:
    return escaped(" ".join(text.split()))
