"""What is known of the charts of a project without asking anybody, and which newer versions there are."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from envcompile.charts.helm import Helm
from envcompile.charts.vendoring import edited_files
from envcompile.charts.wanted import releases_of
from envcompile.sources.chartlock import read_lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envcompile.units.project import Project

State = Literal["current", "new", "stale", "edited", "gone"]
"""Rendered as it is said now; never rendered; said otherwise since; changed by hand; no more in envc.yaml."""


class ListedChart(NamedTuple):
    """One release of a project."""

    name: str
    repository: str
    chart: str
    wanted: str | None
    """Version or range that envc.yaml says."""
    environments: Mapping[str, str]
    """Environment -> version that was rendered."""
    digests: Mapping[str, str]
    """Version -> digest of its archive."""
    files: int
    state: State
    edited: tuple[str, ...]
    """Files that are not as they were written."""


class OutdatedChart(NamedTuple):
    """One version of a chart that environments have, with the newer ones."""

    name: str
    environments: tuple[str, ...]
    version: str
    """What they have."""
    wanted: str
    """The newest version that their range takes."""
    latest: str
    """The newest version of all that is no prerelease."""

    @property
    def is_outdated(self) -> bool:
        """Whether there is a newer version."""
        return self.version not in {self.wanted, self.latest} or self.latest != self.version


def list_charts(project: Project) -> list[ListedChart]:
    """The charts of a project as envc.yaml and the lock have them; nobody is asked.

    Raises:
        EnvcError: settings or a lock that cannot be read.
    """
    lock = read_lock(project.tree)
    edited = edited_files(project, lock)
    found = []
    for release in releases_of(project):
        chart = release.chart
        locked = lock.charts.get(chart.name)
        mine = tuple(path for path in edited if lock.chart_of(path) == chart.name)
        if locked is None:
            state: State = "new"
        elif mine:
            state = "edited"
        else:
            state = "current" if locked.inputs == release.inputs else "stale"
        name = chart.chart or chart.name
        environments = locked.environments if locked is not None else dict[str, str]()
        digests = {
            version: lock.digest_of(chart.repository, name, version) or ""
            for version in dict.fromkeys(environments.values())
        }
        count = sum(lock.chart_of(path) == chart.name for path in lock.files)
        found.append(
            ListedChart(chart.name, chart.repository, name, chart.version, environments, digests, count, state, mine)
        )
    known = {one.name for one in found}
    for name, locked in lock.charts.items():
        if name not in known:
            mine = tuple(path for path in edited if lock.chart_of(path) == name)
            count = sum(lock.chart_of(path) == name for path in lock.files)
            found.append(ListedChart(name, "", "", None, locked.environments, {}, count, "gone", mine))
    return found


def outdated_charts(project: Project, names: Iterable[str] = ()) -> list[OutdatedChart]:
    """The versions that environments have, beside the newest ones of the repositories.

    Raises:
        EnvcError: a repository has no such chart.
        UnavailableError: there is no helm, or a repository does not answer.
        UsageError: a name that is no chart.
    """
    lock = read_lock(project.tree)
    found = []
    releases = releases_of(project, names)
    if not releases:
        return []
    with tempfile.TemporaryDirectory(prefix="envc-charts-") as scratch:
        helm = Helm.find(Path(scratch))
        for release in releases:
            locked = lock.charts.get(release.chart.name)
            groups: dict[tuple[str, str | None], list[str]] = {}
            for wanted in release.wanted:
                version = locked.environments.get(wanted.environment, "") if locked is not None else ""
                groups.setdefault((version, wanted.version), []).append(wanted.environment)
            if not groups:
                continue
            source = release.wanted[0].source
            latest = helm.newest(source, None, release.places)
            newest = {
                range_: helm.newest(source, range_, release.places) if range_ is not None else latest
                for range_ in dict.fromkeys(range_ for _, range_ in groups)
            }
            found += [
                OutdatedChart(release.chart.name, tuple(environments), version, newest[range_], latest)
                for (version, range_), environments in groups.items()
            ]
    return found
