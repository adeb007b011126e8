"""What may be pruned of a project's history: retention by age and number, and what git reaches no more."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from envcompile.errors import Problem, UsageError
from envcompile.git.refs import pinned
from envcompile.history.retention import choose, give_back, prune, pruned

if TYPE_CHECKING:
    from envcompile.actions.past import Past
    from envcompile.history.retention import Pruned

_DAY = 86_400


def prune_history(
    past: Past, *, days: int | None, keep: int | None, unreachable: bool, dry_run: bool
) -> tuple[Pruned, str]:
    """Prune a history; what went, and why the space could not be given back (empty when it was).

    What a branch or a tag points to stays, and so does the newest revision of every environment.

    Args:
        past: the history.
        days: only what was committed longer ago.
        keep: so many of the newest revisions of every environment stay.
        unreachable: only commits that no branch and no tag reaches: those that were amended or rebased away.
        dry_run: only say what would go.

    Raises:
        UsageError: no rule is given, or a shallow clone cannot know what is unreachable.
        UnavailableError: the database does not answer.
    """
    if days is None and keep is None and not unreachable:
        raise UsageError([
            Problem(
                "nothing says what may go",
                "write --older-than 90d, --keep-last 500 or --unreachable; several together must all allow it",
            )
        ])
    repository, store = past.repository, past.store
    among, heads = None, pinned(repository)
    if unreachable:
        if repository.is_shallow():
            raise UsageError([
                Problem(
                    "this clone is shallow: it does not know what branches and tags reach",
                    "fetch the rest with `git fetch --unshallow`, or prune in a full clone",
                )
            ])
        among = store.known() - {*repository.walk(sorted(heads))}
    before = None if days is None else int(time.time()) - days * _DAY
    chosen = choose(store.database, heads, before=before, keep=keep, among=among)
    done = prune(store, chosen, dry_run=dry_run)
    return done, "" if dry_run or not done.commits else give_back(store.database)


def pruned_below(past: Past, revision: str) -> int:
    """How many of the commits that a revision reaches were pruned."""
    gone = pruned(past.store.database)
    return sum(name in gone for name in past.repository.walk([past.repository.resolve(revision)])) if gone else 0
