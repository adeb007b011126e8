"""What there is to know of each environment at a glance."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.build import build
from envcompile.actions.check import check
from envcompile.errors import EnvcError, UnavailableError, UsageError
from envcompile.git.repository import last_change

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.git.repository import Commit, Repository
    from envcompile.units.project import Project


class Listed(NamedTuple):
    """An environment: what it holds, and how it stands."""

    environment: str
    namespace: str
    resources: int
    is_stale: bool
    """Whether a build would write something."""
    changed: Commit | None
    """The last commit that touched its output; None for none, and outside of git."""
    findings: Mapping[str, int]
    """How many there are of each grade."""
    problem: str
    """Why it does not compile; empty when it does."""


def list_environments(project: Project, wanted: Sequence[str]) -> list[Listed]:
    """The environments in their promotion order.

    Args:
        project: the repository.
        wanted: names as the user gave them; none means all.

    Raises:
        UsageError: one of the names is no environment.
        EnvcError: settings of the project that are wrong for all.
    """
    names = project.choose(wanted)
    problems = {name: _problem(project, name) for name in names}
    whole = [name for name in names if not problems[name]]
    results = {result.environment: result for result in build(project, whole, check=True)} if whole else {}
    findings = _findings(project, [name for name in whole if results[name].resources])
    repository = _repository(project)
    found = []
    for name in names:
        result = results.get(name)
        found.append(
            Listed(
                name,
                (project.link(name).namespace or "") if result else "",
                result.resources if result else 0,
                result is not None and not result.plan.is_current,
                last_change(repository, f"environments/{name}") if repository is not None else None,
                findings[name],
                problems[name],
            )
        )
    return found


def _problem(project: Project, name: str) -> str:
    try:
        project.link(name)
    except (UsageError, UnavailableError):
        raise
    except EnvcError as error:
        more = f" and {len(error.problems) - 1} more" if len(error.problems) > 1 else ""
        return f"{error.problems[0].what}{more}"
    return ""


def _findings(project: Project, names: Sequence[str]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {name: Counter() for name in project.environments}
    if names:
        for finding in check(project, names).findings:
            found[finding.environment][finding.severity] += 1
    return found


def _repository(project: Project) -> Repository | None:
    from envcompile.actions.opening import open_repository

    try:
        repository = open_repository(project.root)
    except EnvcError:
        return None
    return repository if repository.has_commits() else None
