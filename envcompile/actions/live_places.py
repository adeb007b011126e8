"""Which database and which cluster a question about live clusters is for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from envcompile.errors import EnvcError, Problem, UsageError, did_you_mean
from envcompile.history.database import connect, location

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.history.database import Database
    from envcompile.history.livereading import ClusterRow, LiveReader


def database_of(folder: Path) -> str:
    """The address of the history database: `ENVC_HISTORY_URL`, else that of the project a folder belongs to.

    Raises:
        UsageError: there is neither.
    """
    if os.environ.get("ENVC_HISTORY_URL"):
        return location(Path())
    from envcompile.actions.opening import open_repository

    try:
        return location(open_repository(folder).home)
    except UsageError as error:
        raise UsageError([
            Problem(
                "there is no project here, and ENVC_HISTORY_URL names no database",
                "go into the repository, or set ENVC_HISTORY_URL=postgresql://USER@HOST/NAME",
            )
        ]) from error


def checkout_of(folder: Path) -> Path | None:
    """The folder of the project, whose kubeconfigs may start no program; None outside of one."""
    from envcompile.sources import find_root

    try:
        return find_root(folder.absolute())
    except EnvcError:
        return None


def open_live(folder: Path) -> Database:
    """The history database, for questions.

    Raises:
        UsageError: there is none yet.
    """
    url = database_of(folder)
    try:
        return connect(url, create=False)
    except UsageError as error:
        if "no history yet" not in str(error):
            raise
        raise UsageError([
            Problem("nothing was watched yet", "`envc watch --once` stores what a cluster has now")
        ]) from error


def cluster_of(reader: LiveReader, name: str | None) -> ClusterRow:
    """The cluster of this name; the only one when no name is given.

    Raises:
        UsageError: there is no such cluster, or several and none is named.
    """
    known = reader.clusters()
    if not known:
        raise UsageError([Problem("no cluster was watched yet", "`envc watch --once` stores what a cluster has now")])
    names = [one.name for one in known]
    if name is None:
        if len(known) > 1:
            raise UsageError([Problem("several clusters were watched", f"name one by --context: {', '.join(names)}")])
        return known[0]
    found = next((one for one in known if one.name == name), None)
    if found is None:
        raise UsageError([
            Problem(f"no cluster `{name}` was watched", did_you_mean(name, names, f"there is {', '.join(names)}"))
        ])
    return found


def contexts_of(folder: Path, environments: Iterable[str]) -> dict[str, str]:
    """Environment -> the context of its cluster, as environment.yaml has it.

    Raises:
        UsageError: an environment names no context.
    """
    wanted = list(environments)
    if not wanted:
        return {}
    from envcompile.units.project import Project

    project = Project.open(folder)
    found = {}
    for name in project.choose(wanted):
        cluster = project.sources_of(name).settings.cluster
        if cluster is None or not cluster.context:
            raise UsageError([
                Problem(
                    f"the environment {name} names no cluster",
                    f"write `cluster: {{context: NAME}}` into overlays/{name}/environment.yaml, or use --context",
                )
            ])
        found[name] = cluster.context
    return found


class Source(NamedTuple):
    """A Prometheus, and what is asked of it beside usage."""

    prometheus: str = ""
    queries: tuple[tuple[str, str], ...] = ()


def metrics_of(folder: Path, environments: Iterable[str]) -> Source:
    """The Prometheus that environments name in `metrics`, and their queries; empty when none does.

    Raises:
        UsageError: they name several, so that nobody knows whose figures are which cluster's.
    """
    wanted = list(environments)
    if not wanted:
        return Source()
    from envcompile.units.project import Project

    project = Project.open(folder)
    every = [project.sources_of(name).settings.metrics for name in project.choose(wanted)]
    found = {one.prometheus for one in every if one is not None and one.prometheus}
    if len(found) > 1:
        raise UsageError([
            Problem("the environments name several Prometheuses", "watch each cluster by a command of its own")
        ])
    queries = {name: query for one in every if one is not None for name, query in (one.queries or {}).items()}
    return Source(found.pop() if found else "", tuple(queries.items()))
