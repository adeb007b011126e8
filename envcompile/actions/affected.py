"""Which resources of which environments differ between a commit and the working folder."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from envcompile.actions.build import link_all
from envcompile.compose.rollout import configuration_kind
from envcompile.errors import EnvcError, Problem, UsageError, did_you_mean
from envcompile.sources.tree import join
from envcompile.units.compare import changed_resources
from envcompile.units.seal import files_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.model import ResourceId
    from envcompile.units.cut import Part
    from envcompile.units.environment import LinkedEnvironment
    from envcompile.units.project import Project


def affected(
    project: Project, files: Sequence[str], revision: str | None, target: str | None = None
) -> dict[str, list[ResourceId]]:
    """Environment -> the resources that differ, sorted; environments without any are left out.

    Without files that is the exact difference of what two commits, or a commit and the folder, compile to. With files
    it is an upper bound of what changes when they, or documents in them, are gone or hold other values; of whatever
    else was edited in them since the commit; and all that shares the kind or the name with what they patch. A file
    that is going to speak of something else could reach everything, and is named once it does.

    Args:
        project: the repository.
        files: paths as the user gave them, relative to the current folder.
        revision: the commit to compare with (HEAD when None).
        target: the newer commit; the working folder when None.

    Raises:
        UsageError: a file outside of the repository, or no such commit.
        UnavailableError: git is needed and does not answer.
        EnvcError: the folder or the commit does not compile.
    """
    if not files:
        after = project.at(target) if target is not None else project
        return _between(project.at(revision or "HEAD"), after)
    if target is not None:
        what = "--to compares two commits, and files stand for the folder"
        raise UsageError([Problem(what, "leave out either the files or --to")])
    before = _older(project, revision)
    paths = _named(project, files, before)
    gone = [path for path in paths if not project.tree.exists(path)]
    unknown = [path for path in gone if before is None or not before.tree.exists(path)]
    if unknown:
        known = sorted({part.path for name in project.environments for part in _parts(project, name)})
        known += sorted(project.further_inputs())
        raise UsageError([
            Problem(f"there is no file {path}", did_you_mean(path, known, "name files of base/ or overlays/"))
            for path in unknown
        ])
    answers = [_reached(project, frozenset(paths) - {*gone})]
    if before is not None:
        answers += _reached_once(project, before, paths)
    names = dict.fromkeys(name for answer in answers for name in answer)
    return {name: sorted({item for answer in answers for item in answer.get(name, ())}) for name in names}


def _older(project: Project, revision: str | None) -> Project | None:
    """The commit that files are compared with; None when nobody named one and there is none."""
    try:
        return project.at(revision or "HEAD")
    except UsageError:
        if revision is not None:
            raise
        return None


def _reached_once(project: Project, before: Project, paths: Sequence[str]) -> list[dict[str, list[ResourceId]]]:
    """What files reached with the bytes of a commit, and what their edits change."""
    older = {path: before.tree.read(path) for path in paths if before.tree.is_file(path)}
    edits = {path: data for path, data in older.items() if not _holds(project, path, data)}
    if not edits:
        return []
    reached = frozenset(edits)
    try:
        earlier = project.with_edits(edits)
        return [_reached(earlier, reached), _between(earlier, project)]
    except EnvcError:  # moved within the folder: what the files held goes only with the rest of the commit
        return [_reached(before, reached), _between(before, project)]


def _holds(project: Project, path: str, data: bytes) -> bool:
    return project.tree.is_file(path) and project.tree.read(path) == data


def _between(before: Project, after: Project) -> dict[str, list[ResourceId]]:
    names = [*after.environments, *(name for name in before.environments if name not in after.environments)]
    sides = [{linked.environment: linked for linked in link_all(side, side.environments)} for side in (before, after)]
    found = {name: changed_resources(sides[0].get(name), sides[1].get(name)) for name in names}
    return {name: changed for name, changed in found.items() if changed}


def _reached(project: Project, paths: frozenset[str]) -> dict[str, list[ResourceId]]:
    """What changes when files are gone, and what is made from them, whatever values they hold."""
    if not paths:
        return {}
    linked = {one.environment: one for one in link_all(project, project.environments)}
    without = _without(project, paths)
    found: dict[str, list[ResourceId]] = {}
    for name in (*linked, *(name for name in without if name not in linked)):
        one, other = linked.get(name), without.get(name)
        touched: set[ResourceId] = set()
        if other is not None:
            touched |= {*changed_resources(one, other)}
        if one is not None:
            touched |= _with_dependants(one, _made_from(one, paths, project))
        if touched:
            found[name] = sorted(touched)
    return found


def _without(project: Project, paths: frozenset[str]) -> dict[str, LinkedEnvironment]:
    """The environments that compile when the files are gone."""
    found: dict[str, LinkedEnvironment] = {}
    with suppress(EnvcError):
        after = project.with_edits(dict.fromkeys(paths))
        for name in after.environments:
            # Where it does not compile without the files, that is no change of what is compiled, but an error.
            with suppress(EnvcError):
                if after.units_of(name).are_sound():
                    found[name] = after.link(name)
    return found


def _made_from(linked: LinkedEnvironment, paths: frozenset[str], project: Project) -> set[ResourceId]:
    """The resources of an environment in which a file has a say."""
    sources = linked.plan.sources
    kept = project.kept
    if kept is not None and all(
        kept.is_settings_file(path) or kept.is_resource_file(path, project.parsed) for path in paths
    ):
        if kept.has_settings_of(linked.environment, paths):
            return linked.ids()
        is_patch = not paths.isdisjoint([path for _, path, _ in linked.plan.patched])
        return linked.ids() if is_patch else _spoken_of(linked, {*paths})
    if paths & {"envc.yaml", *project.crd_files()} or paths & {*sources.own_files} - {"envc.yaml"}:
        return linked.ids()
    dependencies = sources.dependencies
    read = {path for path in dependencies if path in paths or not paths.isdisjoint(dependencies[path])}
    if any(file.targets for layer in sources.scans for file in layer.files if file.path in read):
        return linked.ids()  # whom a `kind: Patch` names is a value as any other
    return _ruled_by(linked, read) | _spoken_of(linked, read)


def _spoken_of(linked: LinkedEnvironment, read: set[str]) -> set[ResourceId]:
    """The resources that files speak of, and all that share the kind or the name with what they patch."""
    touched: set[ResourceId] = set()
    patched: set[ResourceId] = set()
    for number in linked.plan.units.into(read):
        for position in range(len(linked.exports_of(number).resources)):
            identity = linked.id_at(number, position)
            files = files_of(linked.resource(identity))
            if read.intersection(files):
                touched.add(identity)
                if files[0] not in read:
                    patched.add(identity)
    if not patched:
        return touched
    kinds, names = {item[:2] for item in patched}, {item.name for item in patched}
    return touched | {item for item in linked.ids() if item[:2] in kinds or item.name in names}


def _ruled_by(linked: LinkedEnvironment, read: set[str]) -> set[ResourceId]:
    """The resources compiled by what files define: custom resources by CRDs, ExternalSecrets by their store."""
    groups: set[str] = set()
    has_store = False
    for layer in linked.plan.sources.scans:
        for file in layer.files:
            if file.path in read:
                groups.update(file.heads[at].name.partition(".")[2] for at in file.crds)  # <plural>.<group>
                has_store |= any(head.kind in {"SecretStore", "ClusterSecretStore"} for head in file.heads)
    has_store &= linked.plan.sources.settings.secret_backend == "external"
    return {
        resource
        for resource in linked.ids()
        if resource.group in groups or (has_store and resource[:2] == ("external-secrets.io", "ExternalSecret"))
    }


def _with_dependants(linked: LinkedEnvironment, touched: set[ResourceId]) -> set[ResourceId]:
    """The resources with all others that the link step gives something of them."""
    if not touched or not linked.plan.is_joined:
        return touched
    called: dict[object, set[ResourceId]] = {}
    exported = list(linked.exported())
    for resource in exported:
        wanted: list[object] = [name for names in resource.needs for name in names]
        wanted += [(kind, resource.id.namespace, name) for kind, name in resource.reads]
        wanted += resource.refers
        wanted += [(kind, resource.id.namespace, name, "as written") for kind, name in resource.configs]
        for name in wanted:
            called.setdefault(name, set()).add(resource.id)
    names: dict[ResourceId, list[object]] = {}
    for resource in exported:
        kind = configuration_kind(resource.id)
        names[resource.id] = [*resource.names, (kind, resource.id.namespace, resource.id.name), resource.moved]
        if resource.source_name:
            names[resource.id].append((resource.id.kind, resource.id.namespace, resource.source_name, "as written"))
    reached = set(touched)
    todo = list(touched)
    while todo:
        for name in names.get(todo.pop(), ()):
            for dependant in called.get(name, set()) - reached:
                reached.add(dependant)
                todo.append(dependant)
    return reached


def _parts(project: Project, environment: str) -> Iterator[Part]:
    for unit in project.plan(environment).units:
        yield from unit.parts


def _named(project: Project, files: Sequence[str], before: Project | None) -> list[str]:
    """The paths that the user names; for a folder all that it holds, and held in the commit."""
    sides = [project, before] if before is not None else [project]
    found: dict[str, None] = {}
    for file in files:
        path = _inside(project.root, file)
        below = [entry.path for side in sides for entry in side.tree.files(path)]
        found |= dict.fromkeys(below or [path])
    return [*found]


def _inside(root: Path, file: str) -> str:
    path = Path(os.path.abspath(file))  # ruff: ignore[os-path-abspath] - the name as given: a symlink is a source of its own
    for base in (root, root.resolve()):
        if path.is_relative_to(base):
            return path.relative_to(base).as_posix()
    # Seen from outside of the repository (`--project`), paths count from its root.
    inside = join("", file)
    if inside is not None:
        return inside
    raise UsageError([Problem(f"{file} is not in the repository {root}", "name files below it")])
