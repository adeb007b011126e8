"""Charts of others that an environment should have, and that nobody has rendered for it yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.units.project import Project


def unrendered(project: Project, environment: str) -> Iterator[str]:
    """Warnings about charts of envc.yaml that are not among an environment's documents; helm is not asked.

    Raises:
        EnvcError: the lock cannot be read.
    """
    if not project.settings.charts:
        return
    from fnmatch import fnmatchcase

    from envcompile.sources.chartlock import read_lock

    lock = read_lock(project.tree)
    for chart in project.settings.charts:
        if chart.environments and not any(fnmatchcase(environment, glob) for glob in chart.environments):
            continue
        locked = lock.charts.get(chart.name)
        if locked is None or environment not in locked.environments:
            yield f"{environment}: chart {chart.name} is not rendered yet: run `envc charts vendor {chart.name}`"
