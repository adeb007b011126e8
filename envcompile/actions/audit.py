"""The audit trail of a period: who changed what, from, to, in which commit, who approved it, and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.timeline import recorded_line
from envcompile.errors import Problem, UsageError, did_you_mean
from envcompile.history.chain import altered_contents, chain
from envcompile.history.records import FieldRow
from envcompile.history.times import moment_of
from envcompile.history.trailers import approvals
from envcompile.model import ResourceId

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from envcompile.actions.past import Past
    from envcompile.git.repository import Commit


class ChangedResource(NamedTuple):
    """What a commit did to one resource."""

    resource: ResourceId
    what: str
    """`added`, `changed` or `removed`; `recorded` where the record begins, whoever changed it."""
    fields: tuple[FieldRow, ...]


class AuditEntry(NamedTuple):
    """One commit that changed one environment."""

    commit: Commit
    environment: str
    approved_by: tuple[str, ...]
    changes: tuple[ChangedResource, ...]
    problem: str
    """Why it does not compile; empty when it does."""
    hash: str
    """That of the chain up to this commit."""


class Audit(NamedTuple):
    """The trail of a period."""

    start: int
    """Where it begins, in seconds since 1970."""
    end: int
    entries: tuple[AuditEntry, ...]
    unapproved: dict[str, tuple[str, ...]]
    """Environment -> the commits that changed it and name no approval."""
    unrecorded: tuple[str, ...]
    """Commits of the period that git has and the record has not."""
    head: str
    """The hash of the whole chain; empty for an empty record."""
    links: int
    """How many commits the chain has."""


class Verified(NamedTuple):
    """What became of a hash that somebody kept."""

    commit: str
    """The commit whose entry has this hash; empty where none has."""
    later: int
    """How many entries came since."""
    altered: tuple[str, ...]
    """Contents whose text is another one than was recorded, by digest."""

    @property
    def holds(self) -> bool:
        """True when everything up to the hash is as it was."""
        return bool(self.commit) and not self.altered


def audit(past: Past, wanted: Sequence[str], now: int, *, since: str | None = None) -> Audit:
    """The trail of a period along the line of first parents of HEAD.

    Args:
        past: the history.
        wanted: environments; none means all.
        now: seconds since 1970.
        since: where the period begins, `30d` or a day; everything when left out.

    Raises:
        UsageError: no such environment, or the text is no time.
    """
    store = past.store
    known = store.environments()
    for name in wanted:
        if name not in known:
            fix = did_you_mean(name, known, f"recorded are {', '.join(known)}")
            raise UsageError([Problem(f"the history has no environment `{name}`", fix)])
    line, missing = recorded_line(past)
    links = {link.commit: link.hash for link in chain(store, line)}
    facts = store.commits(line)
    start = (
        moment_of(since, now) if since is not None else min((fact.committed_at for fact in facts.values()), default=now)
    )
    chosen = {name for name in line if start <= facts[name].committed_at <= now}
    found: dict[str, list[AuditEntry]] = {}
    for environment in [name for name in known if not wanted or name in wanted]:
        for name, changes, problem in _changes(past, environment, line, chosen):
            commit = facts[name]
            entry = AuditEntry(commit, environment, approvals(commit.message), changes, problem, links[commit.hash])
            found.setdefault(commit.hash, []).append(entry)
    entries = [entry for name in line for entry in found.get(name, ())]
    unapproved: dict[str, list[str]] = {}
    for entry in entries:
        is_change = any(change.what != "recorded" for change in entry.changes)
        if is_change and not entry.approved_by:
            unapproved.setdefault(entry.environment, []).append(entry.commit.hash)
    return Audit(
        start,
        now,
        tuple(entries),
        {name: tuple(commits) for name, commits in unapproved.items()},
        tuple(_unrecorded(past, missing, start)),
        links[line[-1]] if line else "",
        len(line),
    )


def verify(past: Past, kept: str) -> Verified:
    """Look for a hash that an earlier trail told, and at every content.

    Args:
        past: the history.
        kept: the hash, or at least its first 16 digits.

    Raises:
        UsageError: the text is no hash.
    """
    text = kept.lower()
    if not 16 <= len(text) <= 64 or set(text) - set("0123456789abcdef"):
        raise UsageError([
            Problem(f"`{kept}` is no hash of a trail", "`envc compliance --audit` tells it, 64 hexadecimal digits")
        ])
    links = chain(past.store, recorded_line(past)[0])
    places = [position for position, link in enumerate(links) if link.hash.startswith(text)]
    altered = tuple(altered_contents(past.store.database))
    if not places:
        return Verified("", 0, altered)
    return Verified(links[places[0]].commit, len(links) - 1 - places[0], altered)


def _changes(
    past: Past, environment: str, line: Sequence[str], chosen: Collection[str]
) -> Iterator[tuple[str, tuple[ChangedResource, ...], str]]:
    """What each chosen commit changed in an environment, and why it does not compile; those with neither are left out.

    One that has other environments, and this one no more, took all of its resources away.
    """
    from envcompile.history.stats import changes_by_revision

    revisions = past.store.revisions(environment)
    touched = changes_by_revision(past.store.database, environment)
    fields = _fields(past, [revisions[name].id for name in line if name in revisions and name in chosen])
    readable = {name for other in past.store.environments() for name in past.store.revisions(other)}
    there: set[ResourceId] = set()
    for name in line:
        revision = revisions.get(name)
        if revision is None:
            if there and name in readable:
                if name in chosen:
                    gone = sorted(there, key=lambda one: (one.kind, one.namespace, one.name))
                    yield name, tuple(ChangedResource(one, "removed", ()) for one in gone), ""
                there = set()
            continue
        rows = sorted(touched.get(revision.id, []), key=lambda row: (row[0].kind, row[0].namespace, row[0].name))
        changes = []
        for identity, digest, _ in rows:
            what = "removed" if digest is None else "changed" if identity in there else "added"
            if revision.base is None:
                what = "recorded"
            changes.append(ChangedResource(identity, what, tuple(fields.get((revision.id, identity), ()))))
        if revision.base is None:
            there = {identity for identity, _, _ in rows}
        there |= {identity for identity, digest, _ in rows if digest is not None}
        there -= {identity for identity, digest, _ in rows if digest is None}
        if name in chosen and (changes or revision.problem):
            yield name, tuple(changes), revision.problem


def _fields(past: Past, revisions: Collection[int]) -> dict[tuple[int, ResourceId], list[FieldRow]]:
    """The fields that revisions changed, by revision and resource, in the order in which they were recorded."""
    found: dict[tuple[int, ResourceId], list[FieldRow]] = {}
    query = (
        "SELECT f.id, f.revision_id, x.api_group, x.kind, x.namespace, x.name, f.field, f.how, f.old, f.new, f.place "
        "FROM field_change f JOIN resource x ON x.id = f.resource_id WHERE f.revision_id"
    )
    for row in sorted(past.store.database.rows_in(query, revisions)):
        identity = ResourceId(*row[2:6])
        found.setdefault((row[1], identity), []).append(FieldRow(identity, *row[6:]))
    return found


def _unrecorded(past: Past, missing: Sequence[str], start: int) -> list[str]:
    """The commits of the period that git has and the record has not."""
    facts = past.repository.commits(list(missing)) if missing else []
    return [commit.hash for commit in facts if commit.committed_at >= start]
