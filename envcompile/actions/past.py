"""Questions to the history database: log, states, differences and search."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.actions.former_names import follow
from envcompile.actions.kinds_at import KindsAt
from envcompile.actions.opening import open_repository
from envcompile.errors import Problem, UsageError, did_you_mean
from envcompile.history.between import states_between
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
    from envcompile.model import ResourceId

__all__ = [
    "Found",
    "LogEntry",
    "Past",
    "begins_anew",
    "choose",
    "commit_at",
    "compare",
    "compare_all",
    "find",
    "log",
    "missing",
    "open_past",
    "open_repository",
    "resources_at",
    "revision_at",
    "revision_of",
]


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
    own = _own_revision(past, environment, revision)
    if own is not None:
        return own
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


def _own_revision(past: Past, environment: str, revision: str) -> Revision | None:
    """The revision of an environment under its name of today, which is nearly always what is asked for; else None."""
    known = past.store.revisions_of(revision) or past.store.revisions_of(past.repository.find(revision))
    return known.get(environment)


def revision_at(past: Past, environment: str, time: str, start: str = "HEAD") -> Revision:
    """The revision of an environment that a branch had at a time.

    Raises:
        UsageError: the text is no time, or nothing was recorded until then.
    """
    commit = commit_at(past, time, start)
    if not commit:
        raise UsageError([Problem(f"there was no commit at {time}", f"see `envc history log {environment}`")])
    return revision_of(past, environment, commit)


def commit_at(past: Past, time: str, start: str = "HEAD") -> str:
    """The commit that a branch had at a time; empty where there was none.

    Raises:
        UsageError: the text is no time.
    """
    return past.repository.before(time_of(time).isoformat(), start)


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
    (found,) = compare_all(past, [(environment, older, newer)])
    return found


def compare_all(past: Past, sides: Sequence[tuple[str, Revision, Revision]]) -> list[EnvironmentDiff]:
    """What differs between two recorded revisions of each of several environments.

    Args:
        past: the history.
        sides: environment, older and newer revision; the settings of a commit are read once for all of them.
    """
    from envcompile.actions.diff import read_keys
    from envcompile.ask.difference import compare as compare_resources

    found = []
    with ExitStack() as stack:
        kinds: dict[str, KindsAt] = {}
        for environment, older, newer in sides:
            before, after = _states(past, older, newer)
            differing = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
            values = past.store.values({
                held.content for state in (before, after) for name in differing if (held := state.get(name))
            })
            left, right = (
                [Resource(name, values[state[name].content], "", ()) for name in differing if name in state]
                for state in (before, after)
            )
            if newer.commit not in kinds:
                kinds[newer.commit] = stack.enter_context(KindsAt(past, newer.commit))
            api = kinds[newer.commit].api(newer)
            found.append(compare_resources(environment, left, right, api, read_keys=read_keys, owners=()))
    return found


def _states(past: Past, older: Revision, newer: Revision) -> tuple[State, State]:
    """What two revisions hold, as far as it may differ."""
    if older.environment == newer.environment:
        found = states_between(past.store.database, older.id, newer.id)
        if found is not None:
            return found
        other = states_between(past.store.database, newer.id, older.id)
        if other is not None:
            return other[1], other[0]
    past.store.load_states([older.id, newer.id])
    return past.store.state(older.id), past.store.state(newer.id)


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
    past.store.load_states([revision.id for revision in revisions])
    with ExitStack() as stack:
        kinds: dict[str, KindsAt] = {}
        for revision in revisions:
            candidates = _that_may_hold(past, revision, wanted)
            if candidates and revision.commit not in kinds:
                kinds[revision.commit] = stack.enter_context(KindsAt(past, revision.commit))
            for resource in candidates:
                for pointer, value in leaves(redacted(resource.id, resource.value)):
                    if isinstance(value, Hidden) or not fnmatchcase(_as_text(value), wanted):
                        continue
                    last = next((str(part) for part in reversed(pointer) if isinstance(part, str)), "")
                    if "." not in name and last != name:
                        continue
                    api = kinds[revision.commit].api(revision)
                    field = format_field(keyed(pointer, resource.value, root_node(resource.id, resource.value, api)))
                    if name in {last, field}:
                        yield Found(revision.environment, resource.id, field, value)


_PLAIN = re.compile(r"[A-Za-z0-9._/:-]*[A-DF-Za-df-z_/:-][A-Za-z0-9._/:-]*")
"""Text that stands in JSON as it is, and is no number."""


def _that_may_hold(past: Past, revision: Revision, wanted: str) -> list[Resource]:
    """The resources of a revision in whose text a value that a pattern names may stand: others are not unpacked."""
    parts = [part for part in re.split(r"[*?]|\[.*?\]", wanted) if _PLAIN.fullmatch(part)]
    if not parts:
        return resources_at(past, revision)
    state, longest = past.store.state(revision.id), max(parts, key=len).encode()
    bodies = past.store.bodies({held.content for held in state.values()})
    holding = {number for number, body in bodies.items() if longest in body}
    values = past.store.values(holding)
    return [Resource(one, values[held.content], "", ()) for one, held in state.items() if held.content in holding]


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
