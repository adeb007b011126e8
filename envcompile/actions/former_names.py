"""An environment under the names it had: a commit that gives its folder another name does not end its history."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from envcompile.history.reading import HistoryReader
    from envcompile.history.records import Revision, State


class Followed(NamedTuple):
    """The revisions of an environment, and of what it was before."""

    revisions: dict[str, Revision]
    """Commit -> its revision; each says by which name the environment went."""
    names: tuple[str, ...]
    """The names that the environment had, newest first."""
    renamed: dict[int, int]
    """Number of a revision that came with another name -> how many resources it changed besides."""


def follow(store: HistoryReader, environment: str) -> Followed:
    """The revisions of an environment, also those from before it was renamed.

    It was renamed in a commit that has it and not the former one, on top of a commit that has the former one and not
    it, when most of their resources have the same kind and name: as git finds renamed files.

    Args:
        store: the history.
        environment: its name now.
    """
    found = Followed({}, (), {})
    names: list[str] = []
    todo = [environment]
    while todo:
        name = todo.pop()
        names.append(name)
        revisions = store.revisions(name)
        if not revisions:
            continue
        first = [revision for revision in revisions.values() if revision.base is None and not revision.problem]
        parents = store.commits([revision.commit for revision in first])
        for commit, revision in revisions.items():
            found.revisions.setdefault(commit, revision)
        for revision in first:
            above = parents[revision.commit].parents
            former = former_of(store, revision, above[0]) if above else None
            if former is None:
                continue
            before, after = store.state(former.id), store.state(revision.id)
            found.renamed[revision.id] = sum(before.get(key) != after.get(key) for key in {*before, *after})
            if former.environment not in {*names, *todo}:
                todo.append(former.environment)
    return found._replace(names=tuple(names))


def former_of(store: HistoryReader, revision: Revision, parent: str) -> Revision | None:
    """The revision that another name had in the parent, and that went when this one came; None for none.

    Args:
        store: the history.
        revision: the first of an environment.
        parent: the commit before.
    """
    before = store.revisions_of(parent)
    if revision.environment in before:
        return None
    now = store.revisions_of(revision.commit)
    gone = [other for name, other in before.items() if name not in now]
    after = _names(store.state(revision.id))
    scores = {other: len(_names(store.state(other.id)) & after) for other in gone}
    best = max(scores, key=lambda other: scores[other], default=None)
    return best if best is not None and after and 2 * scores[best] >= len(after) else None


def _names(state: State) -> set[tuple[str, str]]:
    return {(identity.kind, identity.name) for identity in state}
