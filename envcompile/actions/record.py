"""Recording commits into the history database: each is compiled from its own tree, never from the working tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.recorder import Recorder
from envcompile.log import progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.actions.outbox import News
    from envcompile.git.objects import GitObjects
    from envcompile.git.repository import Repository
    from envcompile.history.spool import Spool
    from envcompile.history.store import Store

_FEW = 100
"""So many commits are looked up one by one; for more, all that are recorded are read at once."""


class Recorded(NamedTuple):
    """What a run recorded: commits that are new in the database, and those that were there already."""

    new: tuple[str, ...]
    known: tuple[str, ...]
    failing: tuple[str, ...]
    """Those of the new ones that do not compile in some environment."""
    gone: tuple[str, ...] = ()
    """Commits that waited, and that git no longer holds: they were taken back and swept away."""


def record(repository: Repository, store: Store, commits: Sequence[str]) -> Recorded:
    """Record commits, parents before children; those that are recorded already cost nothing.

    Args:
        repository: where the commits are.
        store: the history database.
        commits: full hashes, parents before children.

    Raises:
        UnavailableError: the database does not answer. What was recorded until then stays recorded.
    """
    with Recorder(repository, store) as recorder:
        return _record_all(recorder, commits)


def _record_all(recorder: Recorder, commits: Sequence[str], spool: Spool | None = None) -> Recorded:
    """Record commits; each is taken out of the spool when it is recorded."""
    store = recorder.store
    known = store.recorded(commits) if len(commits) <= _FEW else store.known()
    done: list[str] = []
    failing: list[str] = []
    missing = [commit for commit in commits if commit not in known]
    facts = {commit.hash: commit for commit in recorder.repository.commits(missing)}
    for position, name in enumerate(commits):
        if name in facts:
            written = recorder.record(facts[name])
            if written.is_new:
                done.append(name)
            if written.fails:
                failing.append(name)
        if spool is not None:
            spool.done(name)
        progress("commits", position + 1, len(commits))
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


def take_up(
    repository: Repository,
    store: Store,
    spool: Spool,
    objects: GitObjects | None = None,
    news: News | None = None,
) -> Recorded:
    """Record the commits that wait, in git's order, until none is left.

    A commit that the repository no longer holds cannot be recorded: it was taken back before the database was there.

    Args:
        repository: where the commits are.
        store: the history database.
        spool: the commits that wait.
        objects: reads the repository; a reader of its own when left out.
        news: notes the commits that people are to be told of; nobody is told when left out.

    Raises:
        UnavailableError: the database does not answer; what is not recorded yet waits on.
    """
    found = Recorded((), (), ())
    with Recorder(repository, store, objects=objects, news=news, keeps=True) as recorder:
        while waiting := spool.waiting():
            here = [commit for commit in waiting if recorder.objects.parents(commit) is not None]
            gone = [commit for commit in waiting if commit not in here]
            new = Recorded((), (), ())
            if here:
                if news is not None:
                    news.choose(recorder.objects, repository, here)
                new = _record_all(recorder, _missing(recorder, here), spool=spool)
            for commit in waiting:
                spool.done(commit)
            found = Recorded((*found.new, *new.new), (), (*found.failing, *new.failing), (*found.gone, *gone))
    return found


def _missing(recorder: Recorder, waiting: Sequence[str]) -> list[str]:
    """The commits to record; for one whose parents are all recorded, git need not be asked to walk."""
    if len(waiting) == 1:
        parents = recorder.objects.parents(waiting[0])
        if parents and recorder.store.recorded([*waiting, *parents]) == {*parents}:
            return list(waiting)
    return unrecorded(recorder.repository, recorder.store, waiting)
