"""Questions to the history database: log, states, differences and search."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.actions.at_commit import AtCommit
from envcompile.actions.former_names import follow
from envcompile.actions.opening import open_repository
from envcompile.errors import EnvcError, Problem, UsageError, did_you_mean
from envcompile.history.database import connect, location
from envcompile.history.retention import pruned
from envcompile.history.spool import Spool
from envcompile.history.stats import counts
from envcompile.history.store import Store
from envcompile.history.times import time_of
from envcompile.model import Resource
from envcompile.values import leaves

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from envcompile.actions.former_names import Followed
    from envcompile.ask.difference import EnvironmentDiff
    from envcompile.git.repository import Commit, Repository
    from envcompile.history.store import Revision, State
    from envcompile.kubernetes import KubeApi
    from envcompile.model import ResourceId

__all__ = [
    "Found",
    "LogEntry",
    "Past",
    "api_at",
    "begins_anew",
    "choose",
    "compare",
    "find",
    "log",
    "missing",
    "open_past",
    "open_repository",
    "resources_at",
    "revision_at",
    "revision_of",
]

_DEFINITION = "CustomResourceDefinition"


class Past(NamedTuple):
    """A repository with its history database."""

    repository: Repository
    store: Store
    spool: Spool

    def close(self) -> None:
        """Give the connection back."""
        self.store.database.close()


class LogEntry(NamedTuple):
    """One line of a log: a commit, its revision of an environment, and how many resources it changed.

    The number is None where the commits before were pruned: the revision holds all, whoever changed it.
    """

    commit: Commit
    revision: Revision
    changed: int | None


class Found(NamedTuple):
    """A field that a search found."""

    environment: str
    resource: ResourceId
    field: str
    value: Any


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


def log(past: Past, environment: str, *, start: str = "HEAD", every: bool = False) -> list[LogEntry]:
    """The recorded revisions of an environment, also by the names it had before, in the order of `git log`.

    Args:
        past: the history.
        environment: its name.
        start: the revision to start from.
        every: all that was recorded, newest first: commits that were amended or rebased away, too.

    Raises:
        UsageError: no such environment or revision.
    """
    followed = _followed(past, environment)
    revisions = followed.revisions
    numbers = {
        revision: count for name in followed.names for revision, count in counts(past.store.database, name).items()
    }
    numbers |= followed.renamed
    if every:
        facts = past.store.commits(revisions.keys())
        order = sorted(revisions, key=lambda name: (facts[name].committed_at, revisions[name].id), reverse=True)
    else:
        order = [name for name in past.repository.walk([past.repository.resolve(start)]) if name in revisions]
        facts = past.store.commits(order)
    gone = pruned(past.store.database)
    return [
        LogEntry(
            facts[name],
            revisions[name],
            None if begins_anew(revisions[name], facts[name], gone) else numbers.get(revisions[name].id, 0),
        )
        for name in order
    ]


def begins_anew(revision: Revision, commit: Commit, gone: Collection[str]) -> bool:
    """Tell whether a revision holds all because the one before it was pruned."""
    return revision.base is None and bool(commit.parents) and commit.parents[0] in gone


def missing(past: Past, start: str = "HEAD") -> int:
    """How many commits that a revision reaches are not recorded."""
    known = past.store.known()
    return sum(name not in known for name in past.repository.walk([past.repository.resolve(start)]))


def revision_of(past: Past, environment: str, revision: str) -> Revision:
    """The recorded revision of an environment at a commit.

    Raises:
        UsageError: no such environment or commit, or it is not recorded.
    """
    revisions = _followed(past, environment).revisions
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
    if commit in pruned(past.store.database):
        what = f"commit {commit[:12]} was pruned: what it compiled to is not kept any more"
        raise UsageError([Problem(what, f"git has its sources; `envc history log {environment}` lists what is kept")])
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
    commit = past.repository.before(time_of(time).isoformat(), start)
    if not commit:
        raise UsageError([Problem(f"there was no commit at {time}", f"see `envc history log {environment}`")])
    return revision_of(past, environment, commit)


def resources_at(past: Past, revision: Revision, only: str = "") -> list[Resource]:
    """The resources of a recorded revision, sorted; those that KIND/NAME names when it is given.

    Raises:
        UsageError: no resource has this name.
    """
    state = past.store.state(revision.id)
    chosen = [choose(state, f"{revision.environment} at {revision.commit[:12]}", only)] if only else list(state)
    values = past.store.values([state[identity].content for identity in chosen])
    return [Resource(identity, values[state[identity].content], "", ()) for identity in chosen]


def compare(past: Past, environment: str, older: Revision, newer: Revision) -> EnvironmentDiff:
    """What differs between two recorded revisions of an environment."""
    from envcompile.actions.diff import read_keys
    from envcompile.ask.difference import compare as compare_resources

    before, after = past.store.state(older.id), past.store.state(newer.id)
    differing = [name for name in {*before, *after} if before.get(name) != after.get(name)]
    values = past.store.values({
        held.content for state in (before, after) for name in differing if (held := state.get(name))
    })

    def side(state: State) -> list[Resource]:
        return [Resource(name, values[state[name].content], "", ()) for name in sorted(differing) if name in state]

    return compare_resources(
        environment, side(before), side(after), api_at(past, newer), read_keys=read_keys, owners=()
    )


def api_at(past: Past, revision: Revision) -> KubeApi:
    """What was known of kinds at a revision: of its Kubernetes version, and of the CRDs among its resources.

    The version, `mergeKeys` and `crds` are read from the commit where git still holds it; else they are the defaults.
    """
    from envcompile.kubernetes import MergeKeyError, UnknownVersionError, load
    from envcompile.settings import DEFAULT_KUBERNETES_VERSION

    crds = [held.content for identity, held in past.store.state(revision.id).items() if identity.kind == _DEFINITION]
    documents = list(past.store.values(crds).values())
    said = _said_of_kinds(past.repository, revision)
    try:
        api = load(said.version)
    except UnknownVersionError:
        api = load(DEFAULT_KUBERNETES_VERSION)
    api = api.with_crds([*said.definitions, *documents])
    try:
        return api.with_merge_keys(said.merge_keys)
    except MergeKeyError:
        return api


class _Said(NamedTuple):
    version: str
    merge_keys: tuple[Any, ...]
    definitions: tuple[Any, ...]


def _said_of_kinds(repository: Repository, revision: Revision) -> _Said:
    """What the settings of a commit say of kinds; only settings are read, no resource."""
    from envcompile.settings import DEFAULT_KUBERNETES_VERSION
    from envcompile.sources import new_parsed_files
    from envcompile.sources.layers import EffectiveSettings

    nothing = _Said(DEFAULT_KUBERNETES_VERSION, (), ())
    with AtCommit(repository, revision.commit, revision.environment) as then:
        sources = then.sources()
        if sources is None:
            return nothing
        layers = sources.layers.get(revision.environment, ())
        try:
            own = EffectiveSettings(tuple(sources.overlays[layer] for layer in layers)).settings if layers else None
            return _Said(
                (own.kubernetes_version if own is not None else None) or sources.settings.kubernetes_version,
                sources.settings.merge_keys,
                sources.crd_documents(new_parsed_files()),
            )
        except EnvcError:
            return nothing


def find(past: Past, pattern: str, revisions: Sequence[Revision]) -> Iterator[Found]:
    """The fields whose name and value a pattern names, such as `image=*:v1.2*`; secrets are never looked into.

    Raises:
        UsageError: the pattern has no `=`.
    """
    from fnmatch import fnmatchcase

    from envcompile.ask.changes import root_node
    from envcompile.ask.redact import Hidden, redacted
    from envcompile.kubernetes.fieldpath import format_field, keyed

    # The `=` of a merge key, as in containers[name=web].image=*, stands in brackets.
    split = re.fullmatch(r"(?P<field>(?:[^=\[]|\[[^\]]*\])+)=(?P<value>.*)", pattern, re.DOTALL)
    if split is None:
        raise UsageError([Problem(f"`{pattern}` is no search", "write FIELD=PATTERN, such as 'image=*:v1.2*'")])
    name, wanted = split["field"], split["value"]
    for revision in revisions:
        api = api_at(past, revision)
        for resource in resources_at(past, revision):
            for pointer, value in leaves(redacted(resource.id, resource.value)):
                if isinstance(value, Hidden) or not fnmatchcase(_as_text(value), wanted):
                    continue
                last = next((str(part) for part in reversed(pointer) if isinstance(part, str)), "")
                if "." not in name and last != name:
                    continue
                field = format_field(keyed(pointer, resource.value, root_node(resource.id, resource.value, api)))
                if name in {last, field}:
                    yield Found(revision.environment, resource.id, field, value)


def _followed(past: Past, environment: str) -> Followed:
    found = follow(past.store, environment)
    if not found.revisions:
        known = past.store.environments()
        advice = did_you_mean(
            environment, known, f"recorded are {', '.join(known)}" if known else "nothing is recorded"
        )
        raise UsageError([Problem(f"the history has no environment `{environment}`", advice)])
    return found


def choose(known: Collection[ResourceId], where: str, only: str) -> ResourceId:
    """The one resource that KIND/NAME means.

    Raises:
        UsageError: it means none, or several; `where` says among which.
    """
    from envcompile.compose.identity import select

    found = select(only, known)
    if len(found) == 1:
        return found[0]
    if not found:
        advice = did_you_mean(only, sorted({item.short for item in known}), "write KIND/NAME")
        raise UsageError([Problem(f"{where} has no resource {only}", advice)])
    choices = ", ".join(
        sorted(f"{item.kind}{f'.{item.group}' if item.group else ''}/{item.namespace}/{item.name}" for item in found)
    )
    raise UsageError([Problem(f"{only} is ambiguous in {where}", f"write one of {choices}")])


def _as_text(value: Any) -> str:
    return (
        {True: "true", False: "false", None: "null"}[value] if value is None or isinstance(value, bool) else str(value)
    )
