"""One compiled resource with the origin of its every field: of the folder, or as a commit has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.build import find_resources
from envcompile.actions.origins import environment_origins
from envcompile.actions.past import open_past, revision_of
from envcompile.errors import EnvcError, Problem, UsageError

if TYPE_CHECKING:
    from envcompile.actions.origins import EnvironmentOrigins, ResourceOrigins
    from envcompile.actions.past import Past
    from envcompile.units.project import Project


class Annotated(NamedTuple):
    """A resource with its origins, the environment that it is of, and the oldest commit that is recorded of that.

    Since that commit a value is as it was when the record began, which is no change; empty where nothing is recorded.
    """

    resource: ResourceOrigins
    environment: EnvironmentOrigins
    first: str


def annotated(project: Project, environment: str, resource: str, *, with_history: bool = True) -> Annotated:
    """A resource of the folder; where a history is recorded and answers, with who made its fields what they are.

    Raises:
        UsageError: there is no such environment or resource, or several are called so.
        EnvcError: the sources are wrong.
    """
    past = None
    if with_history:
        try:
            past = open_past(project.root)
        except EnvcError:
            past = None
    try:
        return _annotated(project, environment, resource, past, "HEAD")
    finally:
        if past is not None:
            past.close()


def annotated_at(project: Project, past: Past, environment: str, resource: str, revision: str) -> Annotated:
    """A resource as a recorded commit has it; its sources are compiled again.

    Raises:
        UsageError: there is no such environment, resource or commit, or the commit is not recorded.
        EnvcError: git does not hold the commit's files, or they do not compile.
    """
    commit = revision_of(past, environment, revision).commit
    then = project.at(commit)
    try:
        return _annotated(then, environment, resource, past, commit)
    finally:
        close = getattr(then.tree, "close", None)
        if close is not None:
            close()


def _annotated(project: Project, environment: str, resource: str, past: Past | None, revision: str) -> Annotated:
    (name,) = project.choose([environment])
    found = find_resources(project.link(name), resource)
    if len(found) > 1:
        kind = resource.partition("/")[0]
        choices = ", ".join(sorted(f"{kind}/{item.id.namespace}/{item.id.name}" for item in found))
        raise UsageError([Problem(f"{resource} is in several namespaces of {name}", f"write one of {choices}")])
    origins = environment_origins(project, name, past, revision, only=found[0].id)
    revisions = past.store.revisions(name) if past is not None else {}
    first = min(revisions.values(), key=lambda one: one.id, default=None)
    return Annotated(origins.resources[0], origins, first.commit if first is not None else "")
