"""How grave each rule's findings are: the rule's own grade, unless the settings say otherwise."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from envcompile.check.finding import RANK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envcompile.check.finding import Severity
    from envcompile.check.rule import Rule
    from envcompile.settings import Grade


class Gradable(Protocol):
    """A hit, or what became of it."""

    @property
    def severity(self) -> Severity | None:
        """Its own grade, where it differs from the rule's."""
        ...


class Grading:
    """The grades of one environment.

    Args:
        project: `checks` of envc.yaml.
        environment: `checks` of the environment's settings, which win.
    """

    __slots__ = ("_grades",)

    def __init__(self, project: Mapping[str, Grade], environment: Mapping[str, Grade]) -> None:
        self._grades: dict[str, Grade] = {**project, **environment}

    @property
    def said(self) -> str:
        """What the settings say, as a text: equal where they say the same."""
        return json.dumps(self._grades, sort_keys=True)

    def is_off(self, rule: str) -> bool:
        """Tell whether the settings leave the rule out."""
        return self._grades.get(rule) == "off"

    def is_error(self, rule: Rule) -> bool:
        """Tell whether what a rule finds is an error, if it is nothing less by itself."""
        return self._grades.get(rule.id, rule.severity) == "error"

    def grade(self, rule: Rule, hit: Gradable) -> Severity:
        """The grade of one hit of a rule that is not off: the settings', else the hit's own, else the rule's."""
        grade = self._grades.get(rule.id, "off")
        return (hit.severity or rule.severity) if grade == "off" else grade


def reaches(grades: Iterable[Severity], threshold: Severity) -> bool:
    """Tell whether one of some grades is at least as grave as the threshold."""
    return any(RANK[grade] >= RANK[threshold] for grade in grades)
