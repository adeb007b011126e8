"""What `envc charts` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.cli.render.columns import columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from envcompile.charts.listing import ListedChart, OutdatedChart
    from envcompile.charts.vendoring import Vendored
    from envcompile.errors import Problem


def vendored_as_text(releases: Iterable[Vendored]) -> Iterator[str]:
    """A line a release: its versions, and how many files changed."""
    for release in releases:
        counts = [
            f"{len(paths)} {word}"
            for paths, word in ((release.added, "added"), (release.changed, "changed"), (release.removed, "removed"))
            if paths
        ]
        what = ", ".join(counts) or "nothing changed"
        if not release.environments:
            what = f"left out of envc.yaml: {what}" if release.before else f"in no environment: {what}"
        yield f"{release.name}: {_moved(release)}{what}"


def _moved(release: Vendored) -> str:
    now, before = _versions(release.environments), _versions(release.before)
    if not now:
        return ""
    return f"{release.chart} {before} -> {now}: " if before and before != now else f"{release.chart} {now}: "


def _versions(environments: Mapping[str, str]) -> str:
    """One version where all environments have it, else each with its environments."""
    groups: dict[str, list[str]] = {}
    for environment, version in environments.items():
        groups.setdefault(version, []).append(environment)
    if len(groups) < 2:
        return "".join(groups)
    return ", ".join(f"{version} ({', '.join(names)})" for version, names in groups.items())


def vendored_as_data(releases: Iterable[Vendored]) -> list[dict[str, Any]]:
    """The same for machines."""
    return [
        {
            "name": release.name,
            "chart": release.chart,
            "environments": dict(release.environments),
            "before": dict(release.before),
            "added": list(release.added),
            "changed": list(release.changed),
            "removed": list(release.removed),
            "notes": list(release.notes),
        }
        for release in releases
    ]


def problem_lines(problems: Iterable[Problem]) -> Iterator[str]:
    """Why environments would not build any more, as warnings."""
    for problem in problems:
        where = f" ({problem.where[0]})" if problem.where else ""
        yield f"warning: with this an environment does not build: {problem.what}{where}"


def outdated_as_text(found: Sequence[OutdatedChart]) -> list[str]:
    """A table of what is behind."""
    rows = [("chart", "version", "wanted", "latest", "environments")]
    rows += [(one.name, one.version or "-", one.wanted, one.latest, ", ".join(one.environments)) for one in found]
    return columns(rows)


def outdated_as_data(found: Iterable[OutdatedChart]) -> list[dict[str, Any]]:
    """All versions that environments have, for machines."""
    return [
        {
            "name": one.name,
            "environments": list(one.environments),
            "version": one.version or None,
            "wanted": one.wanted,
            "latest": one.latest,
        }
        for one in found
    ]


def list_as_text(found: Sequence[ListedChart]) -> list[str]:
    """A table of all charts."""
    rows = [("name", "chart", "wanted", "rendered", "files", "state")]
    rows += [
        (
            one.name,
            one.chart or "-",
            one.wanted or "newest",
            _versions(one.environments) or "-",
            str(one.files),
            one.state,
        )
        for one in found
    ]
    return columns(rows)


def list_as_data(found: Iterable[ListedChart]) -> list[dict[str, Any]]:
    """The same for machines."""
    return [
        {
            "name": one.name,
            "repository": one.repository,
            "chart": one.chart,
            "wanted": one.wanted,
            "environments": dict(one.environments),
            "digests": dict(one.digests),
            "files": one.files,
            "state": one.state,
            "edited": list(one.edited),
        }
        for one in found
    ]
