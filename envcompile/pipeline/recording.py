"""Recording commits into the history database: each is compiled from its own tree, never from the working tree."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile import __version__
from envcompile.ask.changes import ABSENT, Order, field_changes
from envcompile.ask.redact import shown
from envcompile.compose.provenance import explain
from envcompile.emit.filenames import place_files
from envcompile.emit.manifests import built_in_kinds
from envcompile.errors import EnvcError
from envcompile.history.store import Content, FieldRow, Snapshot, content_of
from envcompile.model import is_harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from envcompile.ask.changes import FieldChange
    from envcompile.history.repository import Commit, Repository
    from envcompile.history.spool import Spool
    from envcompile.history.store import Revision, State, Store
    from envcompile.kubeapi import KubeApi
    from envcompile.kubeapi.fieldpath import FieldPath
    from envcompile.model import Resource, ResourceId
    from envcompile.pipeline.project import CompiledEnvironment

NOT_RECORDED = "(not recorded)"
"""Stands for what a Secret of an environment with `secretBackend: plaintext` holds."""
_LONGEST = 4096
"""Characters of a field's value that are kept for blame; the whole value is in the resource."""


class Recorded(NamedTuple):
    """What a run recorded: commits that are new in the database, and those that were there already."""

    new: tuple[str, ...]
    known: tuple[str, ...]
    failing: tuple[str, ...]
    """Those of the new ones that do not compile in some environment."""
    gone: tuple[str, ...] = ()
    """Commits that waited, and that git no longer holds: they were taken back and swept away."""


class _Compiled(NamedTuple):
    snapshots: list[Snapshot]
    environments: dict[str, CompiledEnvironment]


def record(
    repository: Repository,
    store: Store,
    commits: Sequence[str],
    *,
    progress: Callable[[int, int], None] | None = None,
    spool: Spool | None = None,
) -> Recorded:
    """Record commits, parents before children; those that are recorded already cost nothing.

    Args:
        repository: where the commits are.
        store: the history database.
        commits: full hashes, parents before children.
        progress: told how many are done, of how many.
        spool: the commits that wait; each is taken out when it is recorded.

    Raises:
        UnavailableError: the database does not answer. What was recorded until then stays recorded.
    """
    known = store.known()
    done: list[str] = []
    failing: list[str] = []
    missing = [commit for commit in commits if commit not in known]
    facts = {commit.hash: commit for commit in repository.commits(missing)}
    for position, name in enumerate(commits):
        if name in facts:
            written, broken = _record_one(repository, store, facts[name])
            if written:
                done.append(name)
            if broken:
                failing.append(name)
        if spool is not None:
            spool.done(name)
        if progress is not None:
            progress(position + 1, len(commits))
    new = {*done}
    return Recorded(tuple(done), tuple(name for name in commits if name not in new), tuple(failing))


def unrecorded(repository: Repository, store: Store, revisions: Sequence[str]) -> list[str]:
    """The commits that revisions reach and that are not recorded, parents before children.

    What lies before the first recorded commit is left to `envc history import`: where nothing is recorded yet,
    only the revisions themselves are given.
    """
    known = store.known()
    wanted = [commit for commit in dict.fromkeys(revisions) if commit not in known]
    if not wanted:
        return []
    reached = repository.walk(wanted, without=sorted(known), oldest_first=True)
    beyond = {*repository.walk(wanted)} & known
    return reached if beyond else [commit for commit in reached if commit in wanted]


def take_up(repository: Repository, store: Store, spool: Spool) -> Recorded:
    """Record the commits that wait, in git's order, until none is left.

    A commit that the repository no longer holds cannot be recorded: it was taken back before the database was there.

    Raises:
        UnavailableError: the database does not answer; what is not recorded yet waits on.
    """
    new: list[str] = []
    failing: list[str] = []
    gone: list[str] = []
    while waiting := spool.waiting():
        here = [commit for commit in waiting if repository.has(commit)]
        for commit in waiting:
            if commit not in here:
                gone.append(commit)
                spool.done(commit)
        if here:
            found = record(repository, store, unrecorded(repository, store, here), spool=spool)
            new += found.new
            failing += found.failing
            for commit in here:
                spool.done(commit)
    return Recorded(tuple(new), (), tuple(failing), tuple(gone))


def _record_one(repository: Repository, store: Store, commit: Commit) -> tuple[bool, bool]:
    inputs = repository.inputs(commit.hash)
    parent = commit.parents[0] if commit.parents else ""
    bases = store.revisions_of(parent) if parent else {}
    compiled = _unchanged(store, bases, inputs, parent) or _compile(repository, commit.hash, sorted(bases))
    while True:
        bases = store.revisions_of(parent) if parent else {}
        fields: dict[str, tuple[int | None, list[FieldRow]]] = {}
        for snapshot in compiled.snapshots:
            base = bases.get(snapshot.environment)
            built = compiled.environments.get(snapshot.environment)
            rows = (
                _field_rows(store, store.state(base.id), built, snapshot)
                if base is not None and built is not None
                else []
            )
            fields[snapshot.environment] = (base.id if base is not None else None, rows)
        written = store.write(commit, inputs, __version__, int(time.time()), compiled.snapshots, fields)
        if written is not None:
            break
    if written:
        _adopt_children(store, commit, compiled)
    return written, any(snapshot.problem for snapshot in compiled.snapshots)


def _unchanged(store: Store, bases: dict[str, Revision], inputs: str, parent: str) -> _Compiled | None:
    """The parent's own contents when the commit changes nothing that has a say; None when it must be compiled."""
    if not bases or not store.is_alike(parent, inputs, __version__):
        return None
    snapshots = []
    for name, base in bases.items():
        contents = {identity: Content(b"", held.digest, held.file) for identity, held in store.state(base.id).items()}
        snapshots.append(Snapshot(name, contents, base.problem))
    return _Compiled(snapshots, {})


def _compile(repository: Repository, commit: str, before: list[str]) -> _Compiled:
    """What a commit compiles to; an environment that does not compile keeps what it had, with the reason."""
    from envcompile.pipeline.project import Project
    from envcompile.sources import GitTree

    tree = GitTree(repository.folder, commit)
    try:
        if not any(tree.exists(path) for path in ("base", "overlays", "envc.yaml")):
            return _Compiled([], {})
        try:
            project = Project(tree)
            names = project.environments
        except EnvcError as error:
            return _Compiled([Snapshot(name, {}, _reason(error)) for name in before], {})
        snapshots: list[Snapshot] = []
        environments: dict[str, CompiledEnvironment] = {}
        for name in names:
            try:
                built = project.compile_with_sources(name)
            except EnvcError as error:
                snapshots.append(Snapshot(name, {}, _reason(error)))
                continue
            environments[name] = built
            snapshots.append(Snapshot(name, _contents(built)))
        return _Compiled(snapshots, environments)
    finally:
        tree.close()


def _reason(error: EnvcError) -> str:
    problem = error.problems[0]
    return problem.what + (f" ({problem.where[0]})" if problem.where else "")


def _contents(built: CompiledEnvironment) -> dict[ResourceId, Content]:
    compiled = built.compiled
    files = place_files(compiled.resources, compiled.namespace, built_in_kinds(built.composed.api))
    return {resource.id: content_of(_without_values(resource), file) for file, resource in files.items()}


def _without_values(resource: Resource) -> dict[str, Any]:
    """The resource; a Secret in clear, which only `secretBackend: plaintext` lets through, without its values."""
    value = resource.value
    if resource.id.kind != "Secret" or resource.id.group or is_harmless(value):
        return value
    hidden = {key: dict.fromkeys(value[key], NOT_RECORDED) for key in ("data", "stringData") if value.get(key)}
    return {**value, **hidden}


def _field_rows(store: Store, before: State, built: CompiledEnvironment, snapshot: Snapshot) -> list[FieldRow]:
    """The fields that differ in resources that were there before, each with the place in the sources that set it."""
    api = built.composed.api
    changed = [
        identity
        for identity, content in snapshot.contents.items()
        if identity in before and before[identity].digest != content.digest
    ]
    if not changed:
        return []
    old = store.values([before[identity].content for identity in changed])
    by_id = {resource.id: resource for resource in built.compiled.resources}
    rows: list[FieldRow] = []
    for identity in changed:
        resource = by_id[identity]
        rows.extend(
            _row(identity, change, _place(built, resource, change.path))
            for change in field_changes(identity, old[before[identity].content], _without_values(resource), api)
        )
    return rows


def _row(identity: ResourceId, change: FieldChange, place: str) -> FieldRow:
    if isinstance(change.new, Order):
        return FieldRow(identity, change.field, "order", str(change.old), str(change.new), place)
    how = "added" if change.old is ABSENT else "removed" if change.new is ABSENT else "changed"
    return FieldRow(identity, change.field, how, _text(change.old), _text(change.new), place)


def _text(value: Any) -> str:
    if value is ABSENT:
        return ""
    text = json.dumps(shown(value), ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _place(built: CompiledEnvironment, resource: Resource, path: FieldPath) -> str:
    """The file and line that set a field; empty where none does."""
    origins = explain(resource, path, built.composed.api, built.composed.sources.where)
    winners = [say.place for origin in origins for say in origin.says if say.wins and say.place is not None]
    return str(winners[0]) if winners else ""


def places_of(
    repository: Repository, commit: str, environment: str, resource: ResourceId, fields: Iterable[FieldPath]
) -> dict[FieldPath, str]:
    """The file and line of a commit that set each field, found by compiling it; empty where that is not known."""
    from envcompile.pipeline.project import Project
    from envcompile.sources import GitTree

    if not repository.has(commit):
        return {}
    tree = GitTree(repository.folder, commit)
    try:
        built = Project(tree).compile_with_sources(environment)
        found = [item for item in built.compiled.resources if item.id == resource]
        return {path: _place(built, item, path) for item in found for path in fields}
    except EnvcError:
        return {}
    finally:
        tree.close()


def _adopt_children(store: Store, commit: Commit, compiled: _Compiled) -> None:
    """Children that were recorded before their parent hold all; now they hold only what they changed."""
    orphans = store.orphans(commit.hash)
    if not orphans:
        return
    own = store.revisions_of(commit.hash)
    for environment, children in orphans.items():
        if environment not in own:
            continue
        built = compiled.environments.get(environment)
        for child in children:
            if child.problem:
                continue  # it holds nothing, and what was recorded after it holds all
            rows = _rows_between(store, own[environment].id, child.id, built.composed.api) if built else []
            store.adopt(child, own[environment].id, rows)


def _rows_between(store: Store, base: int, child: int, api: KubeApi) -> list[FieldRow]:
    before, after = store.state(base), store.state(child)
    both = [identity for identity in after if identity in before and before[identity].digest != after[identity].digest]
    values = store.values({*(before[item].content for item in both), *(after[item].content for item in both)})
    return [
        _row(identity, change, "")
        for identity in both
        for change in field_changes(identity, values[before[identity].content], values[after[identity].content], api)
    ]
