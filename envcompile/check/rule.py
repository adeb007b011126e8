"""A rule: a name that never changes, a default grade, where it comes from, and how to find what breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from envcompile.check.check_input import Scene
    from envcompile.check.finding import Hit, Severity


class Rule(NamedTuple):
    """One rule over everything an environment holds."""

    id: str
    """Lower-case words with hyphens: what people write to set it aside."""
    severity: Severity
    summary: str
    """One sentence: what must be so, and why."""
    source: str
    """Where the rule comes from: a Kubernetes page, KEP or Pod Security Standard, or the tools that know it, too."""
    find: Callable[[Scene], Iterable[Hit]]
    alone: bool = False
    """True when it judges each resource alone: one that did not change keeps its findings, whatever changes around it.
    A test holds such a rule to it."""
    whole: bool = False
    """True for a rule about several resources that looks at more of each than `check/facts.py` tells: it is asked
    whenever anything changed, and everything is compiled for it."""
