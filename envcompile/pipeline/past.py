"""Questions to the history database: log, states, differences, blame, search, and taking a state back."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.errors import EnvcError, Problem, UsageError, did_you_mean
from envcompile.history.blame import blame
from envcompile.history.database import connect, location
from envcompile.history.figures import counts
from envcompile.history.repository import Repository
from envcompile.history.spool import Spool
from envcompile.history.store import Store
from envcompile.model import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from envcompile.ask.difference import EnvironmentDiff
    from envcompile.history.blame import Blamed
    from envcompile.history.repository import Commit
    from envcompile.history.store import Revision, State
    from envcompile.kubeapi import KubeApi
    from envcompile.model import ResourceId


class Past(NamedTuple):
    """A repository with its history database."""

    repository: Repository
    store: Store
    spool: Spool

    def close(self) -> None:
        """Give the connection back."""
        self.store.database.close()


class Entry(NamedTuple):
    """One line of a log: a commit, its revision of an environment, and how many resources it changed."""

    commit: Commit
    revision: Revision
    changed: int


class Found(NamedTuple):
    """A field that a search found."""

    environment: str
    resource: ResourceId
    field: str
    value: Any


def open_repository(folder: Path) -> Repository:
    """The repository of the project that a folder belongs to; a bare repository is taken as it is.

    Raises:
        UsageError: the folder is in no git repository.
    """
    from envcompile.sources import find_root

    start = folder.absolute()
    try:
        root = find_root(start)
    except EnvcError:
        root = None
    return Repository.open(root or start)


def open_past(folder: Path, *, create: bool = False) -> Past:
    """The history of the project that a folder belongs to.

    Args:
        folder: a folder of the project, or a bare repository.
        create: make the database when there is none.

    Raises:
        UsageError: no git repository, or no history yet.
        UnavailableError: the database does not answer, or is of another version.
    """
    repository = open_repository(folder)
    database = connect(location(repository.home), create=create)
    return Past(repository, Store(database), Spool(repository.home))


def log(past: Past, environment: str, *, start: str = "HEAD", every: bool = False) -> list[Entry]:
    """The recorded revisions of an environment, in the order of `git log`.

    Args:
        past: the history.
        environment: its name.
        start: the revision to start from.
        every: all that was recorded, newest first: commits that were amended or rebased away, too.

    Raises:
        UsageError: no such environment or revision.
    """
    revisions = _revisions(past, environment)
    numbers = counts(past.store.database, environment)
    if every:
        facts = past.store.commits(revisions.keys())
        order = sorted(revisions, key=lambda name: (facts[name].committed_at, revisions[name].id), reverse=True)
    else:
        order = [name for name in past.repository.walk([past.repository.resolve(start)]) if name in revisions]
        facts = past.store.commits(order)
    return [Entry(facts[name], revisions[name], numbers.get(revisions[name].id, 0)) for name in order]


def missing(past: Past, start: str = "HEAD") -> int:
    """How many commits that a revision reaches are not recorded."""
    known = past.store.known()
    return sum(name not in known for name in past.repository.walk([past.repository.resolve(start)]))


def revision_of(past: Past, environment: str, revision: str) -> Revision:
    """The recorded revision of an environment at a commit.

    Raises:
        UsageError: no such environment or commit, or it is not recorded.
    """
    revisions = _revisions(past, environment)
    try:
        commit = past.repository.resolve(revision)
    except UsageError:
        # A commit that was amended away may be gone from git: the database still has it.
        found = [name for name in revisions if len(revision) >= 7 and name.startswith(revision)]
        if len(found) != 1:
            raise
        (commit,) = found
    if commit in revisions:
        return revisions[commit]
    if commit in past.store.known():
        raise UsageError([
            Problem(f"commit {commit[:12]} has no environment {environment}", f"see `envc history log {environment}`")
        ])
    raise UsageError([
        Problem(f"commit {commit[:12]} is not recorded", f"record it: envc history record --commit {commit[:12]}")
    ])


def revision_at(past: Past, environment: str, time: str, start: str = "HEAD") -> Revision:
    """The revision of an environment that a branch had at a time.

    Raises:
        UsageError: the text is no time, or nothing was recorded until then.
    """
    try:
        moment = datetime.fromisoformat(time).astimezone()
    except ValueError as error:
        raise UsageError([
            Problem(f"`{time}` is no time", "write 2026-11-23, or 2026-11-23T14:30 with +01:00 or Z for a time zone")
        ]) from error
    commit = past.repository.before(moment.isoformat(), start)
    if not commit:
        raise UsageError([Problem(f"there was no commit at {time}", f"see `envc history log {environment}`")])
    return revision_of(past, environment, commit)


def resources_at(past: Past, revision: Revision, only: str = "") -> list[Resource]:
    """The resources of a recorded revision, sorted; those that KIND/NAME names when it is given.

    Raises:
        UsageError: no resource has this name.
    """
    state = past.store.state(revision.id)
    chosen = [_choose(state, revision, only)] if only else list(state)
    values = past.store.values([state[identity].content for identity in chosen])
    return [Resource(identity, values[state[identity].content], "", ()) for identity in chosen]


def compare(past: Past, environment: str, older: Revision, newer: Revision) -> EnvironmentDiff:
    """What differs between two recorded revisions of an environment."""
    from envcompile.ask.difference import compare as compare_resources
    from envcompile.pipeline.compare import read_keys

    before, after = past.store.state(older.id), past.store.state(newer.id)
    differing = [name for name in {*before, *after} if before.get(name) != after.get(name)]
    values = past.store.values({
        held.content for state in (before, after) for name in differing if (held := state.get(name))
    })

    def side(state: State) -> list[Resource]:
        return [Resource(name, values[state[name].content], "", ()) for name in sorted(differing) if name in state]

    return compare_resources(environment, side(before), side(after), _api(), read_keys=read_keys, owners=())


def blame_fields(
    past: Past, environment: str, resource: str, field: str, revision: str = "HEAD"
) -> tuple[ResourceId, list[Blamed]]:
    """The last change of every field of a resource, or of one field and what is below it.

    Raises:
        UsageError: no such environment, commit, resource or field.
    """
    from envcompile.ask.changes import root_node
    from envcompile.ask.redact import redacted, shown
    from envcompile.kubeapi.fieldpath import look_up, parse_field, resolve
    from envcompile.pipeline.recording import places_of

    at = revision_of(past, environment, revision)
    (target,) = resources_at(past, at, resource)
    path, inner = parse_field(field)
    if inner is not None:
        raise UsageError([Problem("blame knows fields, not the keys of a file in them", f"leave out `#{inner}`")])
    found = blame(past.store, environment, at.commit, target.id, root_node(target.id, target.value, _api()), path)
    if not found:
        what = f"{target.id.short} has no field `{field}` at {at.commit[:12]}"
        raise UsageError([Problem(what, "`envc history show` prints the resource")])
    unplaced: dict[str, list[Any]] = {}
    for blamed in found:
        if not blamed.place:
            unplaced.setdefault(blamed.commit, []).append(blamed.path)
    places = {
        commit: places_of(past.repository, commit, environment, target.id, paths) for commit, paths in unplaced.items()
    }
    hidden = shown(redacted(target.id, target.value))
    done = []
    for blamed in found:
        pointer = resolve(blamed.path, hidden)
        value = look_up(hidden, pointer) if pointer is not None else "<redacted>"
        place = blamed.place or places.get(blamed.commit, {}).get(blamed.path, "")
        done.append(blamed._replace(value=value, place=place))
    return target.id, done


def find(past: Past, pattern: str, revisions: Sequence[Revision]) -> Iterator[Found]:
    """The fields whose name and value a pattern names, such as `image=*:v1.2*`; secrets are never looked into.

    Raises:
        UsageError: the pattern has no `=`.
    """
    from fnmatch import fnmatchcase

    from envcompile.ask.changes import root_node
    from envcompile.ask.redact import Hidden, redacted
    from envcompile.kubeapi.fieldpath import format_field, keyed

    # The `=` of a merge key, as in containers[name=web].image=*, stands in brackets.
    split = re.fullmatch(r"(?P<field>(?:[^=\[]|\[[^\]]*\])+)=(?P<value>.*)", pattern, re.DOTALL)
    if split is None:
        raise UsageError([Problem(f"`{pattern}` is no search", "write FIELD=PATTERN, such as 'image=*:v1.2*'")])
    name, wanted = split["field"], split["value"]
    for revision in revisions:
        for resource in resources_at(past, revision):
            for pointer, value in _leaves(redacted(resource.id, resource.value), ()):
                if isinstance(value, Hidden) or not fnmatchcase(_as_text(value), wanted):
                    continue
                last = next((str(part) for part in reversed(pointer) if isinstance(part, str)), "")
                if "." not in name and last != name:
                    continue
                field = format_field(keyed(pointer, resource.value, root_node(resource.id, resource.value, _api())))
                if name in {last, field}:
                    yield Found(revision.environment, resource.id, field, value)


def restore(past: Past, root: Path, revision: Revision) -> list[str]:
    """Write an environment's folder exactly as it was recorded; the files that changed.

    Raises:
        UsageError: the values of its Secrets were never recorded, or the commit did not compile.
        EnvcError: files in the folder are not envc's.
    """
    from envcompile.emit.plan import plan
    from envcompile.emit.write import check_folder, refuse_obstacles
    from envcompile.model import Bundle
    from envcompile.pipeline.recording import NOT_RECORDED
    from envcompile.pipeline.results import EnvironmentResult, write_all
    from envcompile.yamlio import dump

    if revision.problem:
        raise UsageError([
            Problem(f"commit {revision.commit[:12]} did not compile: {revision.problem}", "name an earlier commit")
        ])
    state = past.store.state(revision.id)
    resources = resources_at(past, revision)
    for resource in resources:
        if resource.id.kind == "Secret" and NOT_RECORDED in str(resource.value):
            what = f"what {resource.id} holds was never recorded: it is a secret in clear"
            raise UsageError([Problem(what, "build the commit instead: git checkout it and run `envc build`")])
    files = {state[resource.id].file: dump(resource.value).encode() for resource in resources}
    target = root / "environments"
    folder = check_folder(target / revision.environment, root)
    compared = plan(folder, Bundle(revision.environment, files, {state[item.id].file: item for item in resources}))
    refuse_obstacles(compared, folder, root)
    write_all(root, target, [EnvironmentResult(revision.environment, folder, len(files), compared, ())])
    return sorted([*compared.added, *compared.changed, *compared.removed])


def _revisions(past: Past, environment: str) -> dict[str, Revision]:
    found = past.store.revisions(environment)
    if not found:
        known = past.store.environments()
        advice = did_you_mean(
            environment, known, f"recorded are {', '.join(known)}" if known else "nothing is recorded"
        )
        raise UsageError([Problem(f"the history has no environment `{environment}`", advice)])
    return found


def _choose(state: State, revision: Revision, only: str) -> ResourceId:
    from envcompile.compose.identity import select

    found = select(only, state)
    if len(found) == 1:
        return found[0]
    where = f"{revision.environment} at {revision.commit[:12]}"
    if not found:
        advice = did_you_mean(only, sorted({item.short for item in state}), "write KIND/NAME")
        raise UsageError([Problem(f"{where} has no resource {only}", advice)])
    choices = ", ".join(
        f"{item.kind}{f'.{item.group}' if item.group else ''}/{item.namespace}/{item.name}" for item in found
    )
    raise UsageError([Problem(f"{only} is ambiguous in {where}", f"write one of {choices}")])


def _api() -> KubeApi:
    from envcompile.kubeapi import load
    from envcompile.settings import DEFAULT_KUBERNETES_VERSION

    return load(DEFAULT_KUBERNETES_VERSION)


def _leaves(value: Any, pointer: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*pointer, key))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _leaves(item, (*pointer, position))
    else:
        yield pointer, value


def _as_text(value: Any) -> str:
    return (
        {True: "true", False: "false", None: "null"}[value] if value is None or isinstance(value, bool) else str(value)
    )
