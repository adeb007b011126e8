"""The Helm chart of all environments, written and owned like an environment's folder."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.actions.chart_memo import ChartMemo
from envcompile.actions.results import CHART_FOLDER, EnvironmentResult
from envcompile.emit.former import Former
from envcompile.emit.plan import plan
from envcompile.emit.revised import RevisedDigests
from envcompile.emit.write import check_folder
from envcompile.model import Bundle

_SERVICES: Final = 10
"""Services that are worth a process."""
_OF_THE_CHART: Final = frozenset({"name", "version", "type", "crds", "defaults", "nameOverride", "testImage"})

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from envcompile.chart import ChartFacts, Portion
    from envcompile.model import Resource
    from envcompile.seenfiles import Files
    from envcompile.settings import Chart
    from envcompile.units.copies import Several
    from envcompile.units.environment import LinkedEnvironment
    from envcompile.units.link import Linked
    from envcompile.units.project import Project

    Values = Mapping[tuple[str, int], Sequence[object]]
    """Environment and number of a unit -> the values of its resources."""


class ComparedChart(NamedTuple):
    """The chart held against what is on disk."""

    result: EnvironmentResult
    made: tuple[str, ...]
    """The services whose parts were made; the others were remembered."""
    memo: ChartMemo | None
    """To be saved when the build is over."""


def compare_chart(
    project: Project,
    settings: Chart,
    target: Path,
    linked: Sequence[LinkedEnvironment],
    known: Files | None,
    values: Values | None = None,
    jobs: int | None = 1,
    *,
    is_untouched: bool = False,
) -> ComparedChart:
    """The chart's files held against what is on disk.

    Args:
        project: the repository.
        settings: what envc.yaml says about the chart.
        target: the folder that holds the environments.
        linked: every environment of the project; its units are compiled only where nothing is remembered of them.
        known: the files as the last build left them.
        values: those that were told of units that were compiled elsewhere.
        jobs: processes that make it; by the size of the work when left out.
        is_untouched: whether somebody looked a moment ago, and found the known files there and nothing else.
    """
    folder = check_folder(target / CHART_FOLDER, project.root)
    made = revised_bundle(project, settings, linked, folder, known, values) if is_untouched and known else None
    made = made or chart_bundle(project, settings, linked, folder, values, jobs)
    compared = plan(folder, made.bundle, known, former=Former(folder, project.root), is_untouched=is_untouched)
    count = len(made.bundle.digests)
    result = EnvironmentResult(CHART_FOLDER, folder, count, compared, made.warnings)
    return ComparedChart(result, made.services, made.memo)


class MadeChart(NamedTuple):
    """The chart's files, and what the user should hear of them."""

    bundle: Bundle
    warnings: tuple[str, ...]
    services: tuple[str, ...]
    """Those whose parts were made; the others were remembered."""
    memo: ChartMemo | None
    """To be saved when all went well."""


def chart_bundle(
    project: Project,
    settings: Chart,
    linked: Sequence[LinkedEnvironment],
    folder: Path | None,
    values: Values | None = None,
    jobs: int | None = 1,
) -> MadeChart:
    """Make the chart of linked environments; its values default to those that the settings name, else the last one's.

    Args:
        project: the repository.
        settings: what envc.yaml says about the chart.
        linked: every environment of the project; its units are compiled only where nothing is remembered of them.
        folder: where the chart is written: what no memo may hold is taken from there; None to remember nothing.
        values: those that were told of units that were compiled elsewhere.
        jobs: processes that make it; by the size of the work when None.
    """
    from envcompile.chart import emit_portions, release_warning
    from envcompile.chart.revision import kept_of

    chart, memo = _chart_facts(settings, linked), _memo(project, folder)
    is_shared = project.tree.limits.is_trusted and jobs != 1
    several = partial(_several, jobs) if is_shared else None
    portions = [list(_portions(environment, values or {})) for environment in linked]
    emitted = emit_portions(chart, portions, memo, several)
    bundle = Bundle(CHART_FOLDER, _Encoded(emitted.files), emitted.files.digests)
    warning = release_warning(chart, emitted, memo)
    if memo is not None and all(one.paths is not None or not _does_more(one.linked) for one in linked):
        memo.kept = kept_of(chart, emitted)
    return MadeChart(bundle, (warning,) if warning else (), emitted.made, memo)


def revised_bundle(
    project: Project,
    settings: Chart,
    linked: Sequence[LinkedEnvironment],
    folder: Path,
    known: Files,
    values: Values | None = None,
) -> MadeChart | None:
    """The same where the last build kept the whole, and only a few services are others; None elsewhere.

    Args:
        project: the repository.
        settings: what envc.yaml says about the chart.
        linked: every environment of the project.
        folder: where the chart is written.
        known: the files that are there, as the last build left them.
        values: those that were told of units that were compiled elsewhere.
    """
    memo = _memo(project, folder) if project.kept is not None and known.are_all_read else None
    if memo is None or project.kept is None or not all(one.paths is not None and one.told for one in linked):
        return None
    kept = memo.kept_of(project.kept.world)
    if kept is None:
        return None
    from envcompile.chart.revision import revise
    from envcompile.chart.size import stream_warning

    units = tuple([len(one.plan.units) for one in linked])
    starts = [0, *accumulate(units)]
    changed = [start + number for one, start in zip(linked, starts, strict=False) for number in one.plan.units.unknown]

    def portion_at(number: int) -> Portion:
        at = bisect_right(starts, number) - 1
        return _portion(linked[at], number - starts[at], values or {})

    chart = _chart_facts(settings, linked)
    revision = revise(chart, kept, units, changed, portion_at, memo)
    if revision is None or not all(path in known for path in revision.files):
        return None
    memo.kept, memo.is_revised = revision.kept, True
    warning = stream_warning(chart, revision.stream, revision.memo, has_crds=kept.has_crds)
    digests = RevisedDigests(known, revision.files.changed)
    bundle = Bundle(CHART_FOLDER, _Encoded(revision.files), digests)
    return MadeChart(bundle, (warning,) if warning else (), revision.made, memo)


def _does_more(linked: Linked) -> bool:
    """Tell whether joining units does something to their resources, or adds some."""
    return bool(linked.imports or linked.further)


def _chart_facts(settings: Chart, linked: Sequence[LinkedEnvironment]) -> ChartFacts:
    from envcompile.chart.shapes import ChartFacts, ChartOptions

    names = tuple(environment.environment for environment in linked)
    options = ChartOptions(
        version=settings.version,
        details=_details(settings),
        crds=settings.crds,
        renames=settings.name_override,
        test_image=settings.test_image,
    )
    default = names.index(settings.defaults) if settings.defaults in names else len(names) - 1
    return ChartFacts(settings.name, names, default, options)


def _memo(project: Project, folder: Path | None) -> ChartMemo | None:
    look = project.look if folder is not None and project.tree.limits.is_trusted else None
    return ChartMemo(project.root, look.tool, folder) if look is not None and folder is not None else None


class _Encoded(Mapping[str, bytes]):
    """The bytes of texts, each when somebody asks.

    Args:
        texts: by their paths.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def __getitem__(self, path: str) -> bytes:
        return self._texts[path].encode()

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


def _several(jobs: int | None, work: Callable[[int, bytes], bytes], count: int) -> Several | None:
    """Processes that make the parts of services; None where those are too few."""
    from envcompile.units.copies import MOST, Several, can_copy, processors

    processes = min(jobs, count) if jobs is not None else min(processors(), MOST, count // _SERVICES)
    return Several(work, processes) if processes > 1 and can_copy() else None


def _details(settings: Chart) -> dict[str, Any]:
    """What Chart.yaml says beyond what the chart is made from."""
    from msgspec import json

    said: dict[str, Any] = json.decode(json.encode(settings))
    return {key: value for key, value in said.items() if key not in _OF_THE_CHART}


def _portions(linked: LinkedEnvironment, values: Values) -> Iterator[Portion]:
    """The units of an environment, and the Secrets that only its store knows."""
    from envcompile.chart import Portion

    for number in range(len(linked.plan.units)):
        yield _portion(linked, number, values)
    if linked.paths is None and linked.linked.further:
        found = [linked.resource(one.id) for one in linked.linked.further]
        yield Portion(_digest(found), lambda: [(one.app, one.value) for one in found])


def _portion(linked: LinkedEnvironment, number: int, values: Values) -> Portion:
    """One unit of an environment."""
    from envcompile.chart.portions import Portion

    units = linked.plan.units

    def load() -> Iterator[tuple[str, object]]:
        told = values.get((linked.environment, number))
        if told is not None:
            apps = [resource.app for resource in linked.exports[number].resources]
            return zip(apps, told, strict=True)
        return ((resource.app, resource.value) for _, resource in linked.unit_values(number))

    key = f"{units.keys[number]} {linked.imports_digest(number)}"
    may_be_remembered = bool(units.told[number]) or units[number].may_be_remembered
    is_clear = linked.plan.sources.settings.secret_backend == "plaintext"
    return Portion(key if may_be_remembered else "", load, is_clear=is_clear)


def _digest(resources: Sequence[Resource]) -> str:
    from envcompile.chart.memory import digest_of

    return digest_of([(one.app, one.value) for one in resources])
