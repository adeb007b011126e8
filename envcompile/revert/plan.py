"""Taking an environment back to a recorded revision: its output as it was, or its overlay so that it compiles to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.at_commit import AtCommit
from envcompile.actions.past import choose, resources_at
from envcompile.actions.revisions import NOT_RECORDED
from envcompile.errors import EnvcError, Problem, UsageError
from envcompile.files import unwritable, write_atomically
from envcompile.revert.draft_tree import Draft
from envcompile.sources.overlaid import OverlaidTree
from envcompile.units.project import Project
from envcompile.values import dotted, same

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from envcompile.actions.past import Past
    from envcompile.emit.layout import Said
    from envcompile.history.store import Revision
    from envcompile.model import ResourceId
    from envcompile.revert.draft_tree import Edits, Value
    from envcompile.settings import Layout

_MOST = 5
"""Resources, and fields of each, that messages name at most."""


class Restoration(NamedTuple):
    """A change of an overlay that was proven: afterwards the environment compiles to what was recorded."""

    environment: str
    commit: str
    edits: Edits
    """The changed files: path -> bytes, None for a file that goes; empty when all is as it was."""


def restore_output(past: Past, root: Path, revision: Revision, only: str = "", *, layout: Layout) -> list[str]:
    """Write an environment's folder exactly as it was recorded, or one resource of it; the files that changed.

    Raises:
        UsageError: the values of its Secrets were never recorded, the commit did not compile, or there is no such
            resource.
        EnvcError: files in the folder are not envc's.
    """
    from envcompile.actions.results import EnvironmentResult, write_all
    from envcompile.emit.former import Former
    from envcompile.emit.layout import arrange, join, said_by, with_others
    from envcompile.emit.manifests import bundle_of, with_gaps
    from envcompile.emit.plan import plan
    from envcompile.emit.write import check_folder, refuse_obstacles
    from envcompile.yamlio import dump

    _check_compiled(revision)
    state = past.store.state(revision.id)
    resources = resources_at(past, revision, only)
    for resource in resources:
        if _is_hidden(resource.value):
            raise _never_recorded(resource.id, "build the commit instead: git checkout it and run `envc build`")
    texts: dict[str, tuple[Said, bytes]] = {}
    for resource in resources:
        text = dump(resource.value)
        text = with_gaps(text) if resource.id.kind == "SealedSecret" else text
        texts[state[resource.id].file] = said_by(resource.value), text.encode()
    target = root / "environments"
    folder = check_folder(target / revision.environment, root)
    files: dict[str, bytes] = {}
    for file, places in arrange(texts, layout).items():
        files[file] = join([texts[place][1] for place in places], layout)
        if only and layout != "resource" and (folder / file).is_file():
            now = (folder / file).read_bytes()
            files[file] = with_others(now, dict(texts[place] for place in places)) or files[file]
    bundle = bundle_of(revision.environment, files)
    compared = plan(folder, bundle, former=Former(folder, root), partial=bool(only))
    refuse_obstacles(compared, folder, root)
    write_all(root, target, [EnvironmentResult(revision.environment, folder, len(texts), compared, ())])
    return sorted([*compared.added, *compared.changed, *compared.removed])


def plan_restoration(past: Past, project: Project, revision: Revision, only: str = "") -> Restoration:
    """Work out the change of overlays/ENV after which ENV compiles to exactly what was recorded; nothing is written.

    Where git still holds the commit, settings and sealed values are taken back to what it says. Everything else is
    worked out of the recorded resources: what the overlay's own documents set is set back there, the rest becomes
    patches in a new file.

    Args:
        past: the history.
        project: the sources as they are.
        revision: what to go back to.
        only: KIND/NAME of the one resource that goes back; the others stay as they are.

    Raises:
        UsageError: there is no such environment any more, no such resource, or the commit did not compile.
        EnvcError: the sources do not compile, or no change of the overlay leads there: it names the fields.
    """
    from envcompile.revert.plan_fields import go_back

    _check_compiled(revision)
    (environment,) = project.choose([revision.environment])
    resources = resources_at(past, revision)
    built = project.compile_with_sources(environment)
    now = {resource.id: resource for resource in built.compiled.resources}
    then = {resource.id: resource.value for resource in resources}
    if only:
        chosen = choose({*now, *then}, f"{environment} now and at {revision.commit[:12]}", only)
        wanted = {identity: resource.value for identity, resource in now.items() if identity != chosen}
        wanted |= {chosen: then[chosen]} if chosen in then else {}
    else:
        wanted = then
    wanted = {identity: _known(past, revision, identity, value) for identity, value in wanted.items()}
    draft = Draft(project.tree, environment, wanted)
    files = {identity: held.file for identity, held in past.store.state(revision.id).items()}
    go_back(draft, past.repository, revision.commit, files)
    if draft.state.gaps:
        raise EnvcError(list(_not_reached(draft, revision)))
    check_others(project, environment, draft.edits)
    return Restoration(environment, revision.commit, really_changed(project, draft.edits))


def write_restoration(project: Project, restoration: Restoration) -> list[str]:
    """Write the files of a restoration, each in one step; their paths.

    Raises:
        UnavailableError: a file cannot be written.
        EnvcError: a folder is a symlink: what is in it may belong to other environments, too.
    """
    return write_edits(project.root, restoration.edits)


def write_edits(root: Path, edits: Edits) -> list[str]:
    """Write changed files of an overlay, each in one step; their paths.

    Args:
        root: the project's folder.
        edits: path -> bytes, None for a file that goes.

    Raises:
        UnavailableError: a file cannot be written.
        EnvcError: a folder is a symlink: what is in it may belong to other environments, too.
    """
    for path in edits:
        folder = (root / path).parent
        if folder.resolve() != root.resolve() / folder.relative_to(root):
            raise EnvcError([
                Problem(
                    f"{path} lies in a folder that is reached through a symlink: others may use it, too",
                    "put a copy in the symlink's place first; `--as-output` changes no source",
                )
            ])
    for path, data in sorted(edits.items()):
        target = root / path
        if data is None:
            target.unlink(missing_ok=True)
            continue
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(path, error) from error
        write_atomically(target, data, shown=path)
    return sorted(edits)


def _check_compiled(revision: Revision) -> None:
    if revision.problem:
        raise UsageError([
            Problem(f"commit {revision.commit[:12]} did not compile: {revision.problem}", "name an earlier commit")
        ])


def _is_hidden(value: Value) -> bool:
    return value.get("kind") == "Secret" and NOT_RECORDED in str(value)


def _never_recorded(identity: ResourceId, fix: str) -> UsageError:
    return UsageError([Problem(f"what {identity} holds was never recorded: it is a secret in clear", fix)])


def _known(past: Past, revision: Revision, identity: ResourceId, value: Value) -> Value:
    """What a recorded resource really held: values in clear are not in the history, but maybe in git."""
    if not _is_hidden(value):
        return value
    with AtCommit(past.repository, revision.commit, revision.environment) as then:
        resource = then.resource(identity)
    if resource is not None:
        return resource.value
    raise _never_recorded(identity, "write its file anew, then restore the others one by one with `--only`")


def _not_reached(draft: Draft, revision: Revision) -> Iterator[Problem]:
    """What stays different, by field; never a value."""
    folder = draft.folder
    fix = (
        f"`--as-output` writes the output as it was; or take the sources back: "
        f"git checkout {revision.commit[:12]} -- base overlays"
    )
    for gap in draft.state.gaps[:_MOST]:
        if gap.have is None:
            what = f"{gap.id} cannot be brought back"
        elif gap.want is None:
            what = f"{gap.id} cannot be left out"
        else:
            names = [f"`{dotted(field)}`" for field in gap.fields]
            more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
            what = f"{gap.id} would still differ in {', '.join(names[:_MOST])}{more}"
        yield Problem(f"no change of {folder} alone takes it back: {what}", fix)
    left = len(draft.state.gaps) - _MOST
    if left > 0:
        yield Problem(f"the same is true of {left} further resource{'s' if left > 1 else ''}", fix)


def check_others(project: Project, environment: str, edits: Mapping[str, bytes | None]) -> None:
    """Make sure that no other environment changes: one may extend the overlay.

    Raises:
        EnvcError: naming the environments that would.
    """
    if not edits:
        return
    after = Project(OverlaidTree(project.tree, edits))
    touched = []
    for name in project.environments:
        if name == environment:
            continue
        before = _compiled(project, name)
        if before is not None and not same(before, _compiled(after, name)):
            touched.append(name)
    if touched:
        raise EnvcError([
            Problem(
                f"overlays/{environment} is laid under {' and '.join(touched)}, which would change with it",
                "take its patches into an overlay of their own first; `--as-output` changes no source",
            )
        ])


def _compiled(project: Project, environment: str) -> dict[ResourceId, Value] | None:
    """What an environment compiles to; None when it does not."""
    try:
        return {resource.id: resource.value for resource in project.compile(environment).resources}
    except EnvcError:
        return None


def really_changed(project: Project, edits: Edits) -> Edits:
    """The files of a change whose bytes differ from what is there."""
    tree = project.tree
    return {path: data for path, data in edits.items() if (tree.read(path) if tree.is_file(path) else None) != data}
