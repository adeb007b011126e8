"""One run of helm over some releases: archives, two renderings of each environment, and probes of values."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from envcompile.charts.archives import Archives
from envcompile.charts.rendering import printed, rendering_of
from envcompile.charts.secrets import with_references
from envcompile.charts.tracing import Printed, trace
from envcompile.charts.unstable import report_unstable
from envcompile.errors import EnvcError, Problems
from envcompile.log import progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.charts.archives import Archive
    from envcompile.charts.helm import Helm
    from envcompile.charts.rendering import Rendering
    from envcompile.charts.tracing import Traced
    from envcompile.charts.wanted import Release, Wanted
    from envcompile.sources.chartlock import ChartLock
    from envcompile.units.project import Project

_APART: Final = 1.1
"""Seconds between two renderings of the same, so that a chart that asks for the time is found out."""
_RENDERERS: Final = 2


class Round:
    """One run: archives, renderings and probes of some releases."""

    def __init__(self, project: Project, helm: Helm, lock: ChartLock, *, moves: bool) -> None:
        self._project = project
        self._helm = helm
        self._archives = Archives(helm, project.root, lock, moves=moves)
        self._printed: dict[str, list[Printed]] = {}

    def rendered(self, releases: Sequence[Release]) -> dict[str, dict[str, Rendering]]:
        """What each release makes in each of its environments.

        Raises:
            EnvcError: all that is wrong with them.
            UnavailableError: a repository does not answer.
        """
        problems = Problems()
        todo: list[tuple[Release, Wanted, Archive]] = []
        count = sum(len(release.wanted) for release in releases)
        for release in releases:
            for wanted in release.wanted:
                progress("charts fetched", len(todo), count)
                try:
                    todo.append((release, wanted, self._archives.of(wanted, release.places)))
                except EnvcError as error:
                    if error.exit_code != EnvcError.exit_code:
                        raise
                    problems.extend(error)
        problems.raise_any()
        started = time.monotonic()
        first = self._texts(todo, problems)
        problems.raise_any()
        time.sleep(max(0.0, _APART - (time.monotonic() - started)) if todo else 0)
        second = self._texts(todo, problems)
        problems.raise_any()
        found: dict[str, dict[str, Rendering]] = {release.chart.name: {} for release in releases}
        for (release, wanted, archive), text, again in zip(todo, first, second, strict=True):
            try:
                rendering = rendering_of(wanted, archive, text)
                other = rendering if text == again else rendering_of(wanted, archive, again)
            except EnvcError as error:
                problems.extend(error)
                continue
            self._printed.setdefault(release.chart.name, []).append(Printed(wanted, archive, rendering.api))
            if not report_unstable(self._helm, rendering, other, release.places, problems):
                rendering = with_references(rendering, self._project, problems)
            found[release.chart.name][wanted.environment] = rendering
        problems.raise_any()
        return found

    def traced(self, release: Release) -> Traced:
        """Which fields each value of a release changes."""
        printings = self._printed.get(release.chart.name, [])
        return trace(self._helm, printings, release.places)

    def _texts(self, todo: Sequence[tuple[Release, Wanted, Archive]], problems: Problems) -> list[bytes]:
        def one(item: tuple[Release, Wanted, Archive]) -> bytes | EnvcError:
            release, wanted, archive = item
            try:
                return printed(self._helm, wanted, archive, release.places)
            except EnvcError as error:
                return error

        texts: list[bytes] = []
        with ThreadPoolExecutor(_RENDERERS) as pool:
            for done, found in enumerate(pool.map(one, todo), start=1):
                progress("charts rendered", done, len(todo))
                if isinstance(found, EnvcError):
                    if found.exit_code != EnvcError.exit_code:
                        raise found
                    problems.extend(found)
                else:
                    texts.append(found)
        return texts
