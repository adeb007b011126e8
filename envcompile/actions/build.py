"""One build: every environment compiled, compared with what is on disk, and swapped in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.actions.keeping import Keeping
from envcompile.actions.outputs import Outputs, Texts
from envcompile.actions.results import CHART_FOLDER, EnvironmentResult, recover_interrupted, write_all
from envcompile.actions.snapshots import inputs_of, keep_snapshot
from envcompile.actions.team import helpers, learn, publish
from envcompile.actions.unrendered import unrendered
from envcompile.compose.identity import Identifier, select
from envcompile.emit.former import Former
from envcompile.emit.index import INDEX_NAME
from envcompile.emit.layout import file_of, said_by, with_others
from envcompile.emit.manifests import bundle_of
from envcompile.emit.plan import plan, unreadable
from envcompile.emit.write import check_folder, refuse_obstacles
from envcompile.errors import EnvcError, Problem, Problems, UnavailableError, UsageError, did_you_mean
from envcompile.kubernetes.kindwords import kinds_meant, spelled
from envcompile.log import detail, progress
from envcompile.model import Resource
from envcompile.units.settling import settle
from envcompile.units.snapshot import Look

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from envcompile.actions.charting import ComparedChart
    from envcompile.ask.changes import Change
    from envcompile.emit.filenames import Placed
    from envcompile.emit.layout import Said
    from envcompile.model import Bundle, ResourceId
    from envcompile.seenfiles import Files
    from envcompile.units.environment import LinkedEnvironment
    from envcompile.units.project import CompiledEnvironment, Project
    from envcompile.units.snapshot import Snapshot


def build(
    project: Project,
    environments: Sequence[str],
    *,
    output: Path | None = None,
    only: str | None = None,
    check: bool = False,
    force: bool = False,
    with_chart: bool = True,
    engine: str | None = None,
    jobs: int | None = None,
) -> list[EnvironmentResult]:
    """Compile environments and bring their folders up to date.

    Nothing is written when anything is wrong in any of them.

    Args:
        project: the repository.
        environments: names as the user gave them; none means all.
        output: the folder to write to, `environments/` of the project when left out.
        only: KIND/NAME of the one resource to write; the other files stay as they are.
        check: compare only.
        force: overwrite files that were edited by hand or belong to others.
        engine: the address of who compiles, `dask://HOST:PORT`; this machine when left out.
        jobs: processes that compile; by the size of the work when left out.
        with_chart: write the Helm chart, too, when envc.yaml asks for one and all environments are built.

    Raises:
        EnvcError: what is wrong with the sources, or what stands in the way of writing.
    """
    chosen = project.choose(environments)
    target = output if output is not None else project.root / "environments"
    if not check:
        recover_interrupted(project.root, target)
    look = project.look
    if look is None or output is not None:
        look = Look(str(project.root), str(target))
    is_whole = not environments and only is None
    texts = Texts()
    learn(project, chosen)
    is_charted = project.settings.chart is not None and is_whole and with_chart  # a chart is made of all values
    chart: ComparedChart | None = None
    with helpers(project, chosen, texts, engine, jobs, with_values=is_charted) as helping:
        try:
            settle(project, chosen, texts.take, helping, keeps_values=is_charted)
        except (UsageError, UnavailableError):
            raise
        except EnvcError as error:
            detail("build", "told below, with everything else that is wrong: %s problems", len(error.problems))
        outputs, results = _link_and_compare(project, chosen, texts, target, only, look)
        linked = [made.linked for made in outputs]
        if is_whole:
            results += _orphans(project, target)
            if with_chart and project.settings.chart is not None:
                from envcompile.actions.charting import compare_chart

                known_chart = _known(look.snapshot, CHART_FOLDER)
                chart = compare_chart(
                    project,
                    project.settings.chart,
                    target,
                    linked,
                    known_chart,
                    texts.values,
                    jobs,
                    is_untouched=look is project.look and look.finds_untouched(CHART_FOLDER),
                )
                results.append(chart.result)
        if check and output is None and not all(result.folder.exists() for result in results):
            results = _as_git_has_them(project, results)
        if not check:
            for made, result in zip(outputs, results, strict=False):
                made.take_known([*result.plan.added, *result.plan.changed], result.folder)
            if not force:
                _refuse_obstacles(project, results)
        is_kept = is_whole and not check and project.tree.limits.is_trusted
        inputs = inputs_of(look, project) if is_kept and (with_chart or project.settings.chart is None) else None
        learnt = chart.memo if chart is not None else None
        with Keeping(project, outputs, inputs, learnt, beside=not check and texts.is_shared):
            written = write_all(project.root, target, results) if not check else {}
            for made in outputs:
                made.release_places()
            if inputs is not None:
                keep_snapshot(look, project, inputs, linked, results, written, texts.elsewhere)
    publish(project, [(made, result.folder) for made, result in zip(outputs, results, strict=False)])
    return results


def _as_git_has_them(project: Project, results: list[EnvironmentResult]) -> list[EnvironmentResult]:
    """The same, with folders that a sparse checkout left out compared as git's index has them."""
    from envcompile.emit.stored import plan_stored
    from envcompile.git.trees import StoredTree

    tree = project.tree
    if not isinstance(tree, StoredTree):
        return results
    found = []
    for result in results:
        folder = result.folder.relative_to(project.root).as_posix()
        is_left_out = not result.folder.exists() and tree.exists(folder)
        compared = plan_stored(tree, folder, result.plan.bundle, gone=result.plan.gone) if is_left_out else result.plan
        found.append(result._replace(plan=compared))
    return found


def _refuse_obstacles(project: Project, results: Iterable[EnvironmentResult]) -> None:
    """Refuse to go on where a folder holds work of people.

    Raises:
        EnvcError: all files that stand in the way.
    """
    problems = Problems()
    for result in results:
        try:
            refuse_obstacles(result.plan, result.folder, project.root)
        except EnvcError as error:
            problems.extend(error)
    problems.raise_any()


def _link_and_compare(
    project: Project,
    environments: Iterable[str],
    texts: Texts,
    target: Path,
    only: str | None,
    look: Look,
) -> tuple[list[Outputs], list[EnvironmentResult]]:
    """Join the units of environments, and hold what comes of it against their folders, one after the other.

    What is wrong with the sources of any of them is told before what is wrong with files.
    """
    problems, refused = Problems(), Problems()
    late: EnvcError | None = None
    outputs: list[Outputs] = []
    results: list[EnvironmentResult] = []
    chosen = tuple(environments)
    for position, environment in enumerate(chosen, 1):
        progress("environments", position, len(chosen))
        try:
            linked = project.link(environment)
        except UsageError:
            raise
        except EnvcError as error:
            problems.extend(error)
            continue
        if linked.refused:
            from envcompile.actions.refused import report_refused

            report_refused(project, [linked], refused)
        if problems or late is not None:
            continue
        try:
            before = _known(look.snapshot, environment) if look is project.look and project.kept is not None else None
            made = Outputs(linked, texts, before if look.finds_untouched(environment) else None)
            wanted = {*choose_ids(environment, linked.ids(), only)} if only is not None else None
            result = _compare(project, made, target, wanted, look)
            made.report_refused(result.plan, result.folder, refused, wanted)
        except EnvcError as error:
            late = error
            continue
        if project.settings.chart is None:
            result = result._replace(plan=made.release(result.plan))
        outputs.append(made)
        results.append(result)
    problems.raise_any()
    if late is not None:
        raise late
    refused.raise_any()
    return outputs, results


def differences(project: Project, environments: Sequence[str], target: Path) -> Iterator[tuple[str, list[Change]]]:
    """What a build would change in what lies in the environments' folders.

    Args:
        project: the repository.
        environments: names as the user gave them; none means all.
        target: the folder that holds the environments.

    Raises:
        EnvcError: what is wrong with the sources.
    """
    from envcompile.ask.changes import changes
    from envcompile.yamlio import load_all

    texts = Texts()
    for linked in link_all(project, project.choose(environments)):
        made = Outputs(linked, texts)
        result = _compare(project, made, target, None, project.look)
        compared = result.plan
        after = [linked.resource(one) for one in made.resources_in([*compared.changed, *compared.added])]
        before: list[Resource] = []
        for path in (*compared.changed, *compared.removed):
            values = load_all((result.folder / path).read_bytes(), path)
            before += [Resource(identify(value, linked), value, "", ()) for value in values if value is not None]
        yield linked.environment, changes(before, after, linked.plan.api)


def link_all(project: Project, environments: Iterable[str]) -> list[LinkedEnvironment]:
    """Compile and join several environments; what is wrong in any of them is reported together.

    Raises:
        EnvcError: everything that is wrong, each problem once.
    """
    problems = Problems()
    linked = []
    for _, found in link_each(project, environments):
        if isinstance(found, UsageError):
            raise found
        if isinstance(found, EnvcError):
            problems.extend(found)
        else:
            linked.append(found)
    problems.raise_any()
    return linked


def link_each(project: Project, environments: Iterable[str]) -> Iterator[tuple[str, LinkedEnvironment | EnvcError]]:
    """Compile and join environments one after another; what is wrong with one stands in its place."""
    for environment in environments:
        try:
            yield environment, project.link(environment)
        except EnvcError as error:
            yield environment, error


def compile_all(project: Project, environments: Sequence[str]) -> list[CompiledEnvironment]:
    """Compile several environments whole; what is wrong in any of them is reported together.

    Raises:
        EnvcError: everything that is wrong, each problem once.
    """
    link_all(project, environments)
    return [project.compile_with_sources(environment) for environment in environments]


def find_resources(linked: LinkedEnvironment, only: str) -> list[Resource]:
    """The resources of an environment that KIND/NAME names; only their units are compiled for it.

    Raises:
        UsageError: no resource has this name, or several kinds do.
    """
    near = linked.ids_named(only.rpartition("/")[2])
    known = near if select(only, near) else linked.ids()  # all of them are told what is no name
    return [linked.resource(identity) for identity in choose_ids(linked.environment, known, only)]


def choose_ids(environment: str, known: Iterable[ResourceId], only: str) -> list[ResourceId]:
    """The identities that KIND/NAME names among those of an environment.

    Raises:
        UsageError: no resource has this name, or several kinds do.
    """
    ids = list(known)
    found = select(only, ids)
    if not found:
        raise UsageError([Problem(f"{environment} has no resource {only}", _nearest(environment, ids, only))])
    groups = {resource.group for resource in found}
    if len(groups) > 1:
        choices = ", ".join(sorted({f"{_kind(resource)}/{resource.name}" for resource in found}))
        raise UsageError([Problem(f"{only} is ambiguous in {environment}", f"write one of {choices}")])
    return found


def _nearest(environment: str, known: Collection[ResourceId], only: str) -> str:
    """What may have been meant: those of the bare name or of the kind alone, else the name most like it."""
    meant = kinds_meant(only)
    alike = {item.short for item in known if only == item.name or item.kind.lower() in meant}
    if alike and "/" not in only:
        shown = ", ".join(f"`{name}`" for name in sorted(alike)[:5])
        return f"write KIND/NAME: {shown}{', …' if len(alike) > 5 else ''}"
    otherwise = f"`envc show {environment} --list` lists what it has"
    return did_you_mean(spelled(only), sorted({resource.short for resource in known}), otherwise)


def _kind(resource: ResourceId) -> str:
    return f"{resource.kind}.{resource.group}" if resource.group else resource.kind


def identify(value: dict[str, Any], linked: LinkedEnvironment) -> ResourceId:
    """The identity of a compiled object of an environment."""
    return Identifier(linked.plan.api, linked.namespace, forced=False).identify(value)


def _compare(
    project: Project, made: Outputs, target: Path, wanted: Collection[ResourceId] | None, look: Look | None
) -> EnvironmentResult:
    name = made.linked.environment
    folder = check_folder(target / name, project.root)
    bundle = made.bundle if wanted is None else _only(made, folder, wanted)
    compared = plan(
        folder,
        bundle,
        _known(look.snapshot, name) if look is not None else None,
        former=Former(folder, project.root),
        partial=wanted is not None,
        is_untouched=look is not None and look.finds_untouched(name),
    )
    count = made.count(compared.digests)
    warnings = (*made.linked.warnings, *unrendered(project, name))
    return EnvironmentResult(name, folder, count, compared, warnings)


def _only(made: Outputs, folder: Path, wanted: Collection[ResourceId]) -> Bundle:
    """The files of some resources; what else there is in them stays as it is."""
    placed: dict[str, Placed] = made.placed
    chosen = [place for place, one in placed.items() if one.id in wanted]
    if made.layout == "resource":
        return made.bundle._replace(digests={place: made.bundle.digests[place] for place in chosen})
    texts: dict[str, dict[Said, bytes]] = {}
    for place in chosen:
        said = said_by(made.linked.resource(placed[place].id).value)
        texts.setdefault(file_of(place, made.layout), {})[said] = made.text(place)
    files = {}
    for file, those in texts.items():
        is_there = (folder / file).is_file() and not (folder / file).is_symlink()
        files[file] = (with_others((folder / file).read_bytes(), those) if is_there else None) or made[file]
    return bundle_of(made.linked.environment, files)


def _known(snapshot: Snapshot | None, name: str) -> Files | None:
    """The files of a folder as the last build left them."""
    return snapshot.outputs.get(name) if snapshot is not None else None


def _orphans(project: Project, target: Path) -> Iterator[EnvironmentResult]:
    """The folders of environments that are no more: envc takes its own files out of them."""
    known = {*project.environments}
    if project.settings.chart is not None:
        known.add(CHART_FOLDER)
    if not target.is_dir():
        return
    try:
        folders = sorted(target.iterdir())
    except OSError as error:
        raise unreadable(error, target) from error
    for folder in folders:
        if folder.name in known or folder.name.startswith(".") or folder.is_symlink():
            continue
        if (folder / INDEX_NAME).is_file():
            empty = plan(folder, bundle_of(folder.name, {}), former=Former(folder, project.root), gone=True)
            yield EnvironmentResult(folder.name, folder, 0, empty, ())
