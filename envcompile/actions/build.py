"""One build: every environment compiled, compared with what is on disk, and swapped in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.actions.charting import compare_chart
from envcompile.actions.freshness import INPUT_FOLDERS, Look
from envcompile.actions.records import remember
from envcompile.actions.results import CHART_FOLDER, EnvironmentResult, recover_interrupted, write_all
from envcompile.compose.identity import select
from envcompile.emit.index import INDEX_NAME
from envcompile.emit.manifests import built_in_kinds, manifests
from envcompile.emit.plan import plan, unreadable
from envcompile.emit.write import check_folder, refuse_obstacles
from envcompile.errors import EnvcError, Problem, Problems, UsageError, did_you_mean
from envcompile.model import Bundle
from envcompile.yamlio import Renderer

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from envcompile.actions.freshness import Record
    from envcompile.actions.project import CompiledEnvironment, Project
    from envcompile.model import Compiled, Resource, ResourceId


def build(
    project: Project,
    environments: Sequence[str],
    *,
    output: Path | None = None,
    only: str | None = None,
    check: bool = False,
    force: bool = False,
    with_chart: bool = True,
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
        with_chart: write the Helm chart, too, when envc.yaml asks for one and all environments are built.

    Raises:
        EnvcError: what is wrong with the sources, or what stands in the way of writing.
    """
    chosen = project.choose(environments)
    target = output if output is not None else project.root / "environments"
    if not check:
        recover_interrupted(project.root, target)
    look = Look(str(project.root), str(target))
    compiled = compile_all(project, chosen)
    renderer = Renderer()
    results = [_compare(project, environment, target, renderer, only, look.record) for environment in compiled]
    if not environments and only is None:
        results += _orphans(project, target)
        if with_chart and project.settings.chart is not None:
            results.append(compare_chart(project, project.settings.chart, target, compiled))
    if check:
        return results
    if not force:
        problems = Problems()
        for result in results:
            try:
                refuse_obstacles(result.plan, result.folder, project.root)
            except EnvcError as error:
                problems.extend(error)
        problems.raise_any()
    write_all(project.root, target, results)
    if only is None and not environments and (with_chart or project.settings.chart is None):
        remember(look, compiled, results, _crds(project))
    return results


def compile_all(project: Project, environments: Sequence[str]) -> list[CompiledEnvironment]:
    """Compile several environments; what is wrong in any of them is reported together.

    Raises:
        EnvcError: everything that is wrong, each problem once.
    """
    problems = Problems()
    compiled = []
    for environment in environments:
        try:
            compiled.append(project.compile_with_sources(environment))
        except UsageError:
            raise
        except EnvcError as error:
            problems.extend(error)
    problems.raise_any()
    return compiled


def choose_resources(compiled: Compiled, only: str) -> list[Resource]:
    """The resources that KIND/NAME names.

    Raises:
        UsageError: no resource has this name, or several kinds do.
    """
    by_id = {resource.id: resource for resource in compiled.resources}
    found = select(only, by_id)
    if not found:
        names = sorted({resource.short for resource in by_id})
        raise UsageError([
            Problem(
                f"{compiled.environment} has no resource {only}",
                did_you_mean(only, names, f"`envc show {compiled.environment} --list` lists what it has"),
            )
        ])
    groups = {resource.group for resource in found}
    if len(groups) > 1:
        choices = ", ".join(f"{_kind(resource)}/{resource.name}" for resource in found)
        raise UsageError([Problem(f"{only} is ambiguous in {compiled.environment}", f"write one of {choices}")])
    return [by_id[identity] for identity in found]


def _kind(resource: ResourceId) -> str:
    return f"{resource.kind}.{resource.group}" if resource.group else resource.kind


def _compare(
    project: Project,
    environment: CompiledEnvironment,
    target: Path,
    renderer: Renderer,
    only: str | None,
    known: Record | None,
) -> EnvironmentResult:
    compiled = environment.compiled
    bundle = manifests(compiled, renderer, built_in_kinds(environment.composed.api))
    folder = check_folder(target / compiled.environment, project.root)
    if only is not None:
        wanted = {resource.id for resource in choose_resources(compiled, only)}
        sources = {path: resource for path, resource in bundle.sources.items() if resource.id in wanted}
        bundle = Bundle(bundle.environment, {path: bundle.files[path] for path in sources}, sources)

    outputs = known.outputs if known is not None else {}

    def digest_of(path: str, stat: os.stat_result) -> str | None:
        entry = outputs.get(f"{compiled.environment}/{path}")
        return entry[3] if entry and entry[:3] == (stat.st_mtime_ns, stat.st_size, stat.st_ino) else None

    compared = plan(folder, bundle, digest_of, partial=only is not None)
    warnings = environment.composed.warnings
    return EnvironmentResult(compiled.environment, folder, len(compared.digests), compared, warnings)


def _crds(project: Project) -> set[str]:
    """The files that `crds:` of envc.yaml names, and their folders: a new file changes those."""
    found = set(project.crd_files())
    for path in tuple(found):
        folder = path.rpartition("/")[0]
        while folder and folder not in found and folder.partition("/")[0] not in INPUT_FOLDERS:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found


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
            empty = plan(folder, Bundle(folder.name, {}, {}), gone=True)
            yield EnvironmentResult(folder.name, folder, 0, empty, ())
