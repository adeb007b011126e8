"""What `envc history record`, `import` and `sync` do: what waits in the spool, or is missing, is recorded.

Free of the compiler until something has to be recorded: a hook that only lets a commit wait is over at once.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.hook_scripts import own_command
from envcompile.actions.opening import open_repository
from envcompile.errors import EnvcError, Problem, UnavailableError
from envcompile.log import decision

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from envcompile.actions.outbox import News
    from envcompile.actions.record import Recorded
    from envcompile.git.repository import Repository

    Progress = Callable[[int, int], None]


class Telling(NamedTuple):
    """What became of the messages about recorded commits."""

    sent: int = 0
    warnings: tuple[str, ...] = ()


class Run(NamedTuple):
    """What a run recorded, and who was told."""

    recorded: Recorded | None
    """None where nothing was waiting, or another process does it."""
    telling: Telling = Telling()


def record_commits(folder: Path, revisions: Sequence[str], *, detach: bool) -> Run:
    """Let commits wait in the spool and record all that waits, here or in a process of its own.

    Args:
        folder: a folder of the repository.
        revisions: the commits to record beside those that wait.
        detach: start a process that does it, and return.

    Raises:
        UsageError: git knows no such revision.
        UnavailableError: the database does not answer; the commits wait.
    """
    from envcompile.history.database import connect, location
    from envcompile.history.spool import Spool
    from envcompile.history.store import Store

    repository = open_repository(folder)
    spool = Spool(repository.home)
    recorded = None
    with closing(repository.objects()) as objects:
        for revision in revisions:
            spool.add(objects.resolve(revision) or repository.resolve(revision))
        if detach:
            decision("history", "a process of its own records what waits")
            return Run(None, Telling(0, _start(repository.folder)))
        from envcompile.actions.outbox import News
        from envcompile.actions.record import take_up

        news = News(repository.home)
        with spool.alone():
            if waiting := spool.waiting():
                decision("history", "%d commits wait to be recorded: %s", len(waiting), ", ".join(waiting))
                try:
                    with closing(connect(location(repository.home))) as database:
                        recorded = take_up(repository, Store(database), spool, objects, news)
                except UnavailableError as error:
                    spool.note(str(error.problems[0].what))
                    raise
                spool.note("")
    return Run(recorded, _tell_people(repository, news, is_in_a_hurry=bool(revisions)))


def import_commits(folder: Path, revisions: Sequence[str], *, every: bool) -> tuple[int, Recorded | None]:
    """Record everything that revisions reach; how many commits that are, and what was recorded when any was missing.

    Raises:
        UsageError: git knows no such revision.
        UnavailableError: the database does not answer; what was recorded until then stays.
    """
    from envcompile.actions.past import open_past
    from envcompile.actions.record import record

    with closing(open_past(folder, create=True)) as past:
        repository = past.repository
        starts = repository.heads() if every else [repository.resolve(revision) for revision in revisions]
        commits = repository.walk(starts, oldest_first=True)
        known = past.store.known()
        todo = [commit for commit in commits if commit not in known]
        return len(commits), record(repository, past.store, todo) if todo else None


def synchronise_commits(folder: Path) -> Run:
    """Record everything that the checked-out branch, and the one it tracks, reach and that is missing.

    Raises:
        UnavailableError: the database does not answer; what is not recorded yet waits on.
    """
    from envcompile.actions.outbox import News
    from envcompile.actions.past import open_past
    from envcompile.actions.synchronise import synchronise

    with closing(open_past(folder, create=True)) as past:
        news = News(past.repository.home)
        found = synchronise(past, news=news)
        past.spool.note("")
    return Run(found, _tell_people(past.repository, news, is_in_a_hurry=True))


def _tell_people(repository: Repository, news: News, *, is_in_a_hurry: bool) -> Telling:
    """Send the messages about recorded commits; whatever goes wrong, they wait, and the record stands.

    Somebody in a hurry does not wait for a receiver that is away: when messages wait from before, or one must be sent
    again, a process of its own does it.
    """
    if news.is_empty():
        return Telling()
    if is_in_a_hurry and news.is_waiting() and not os.environ.get("CI"):
        decision("history", "messages wait from before: a process of its own sends them")
        return Telling(0, _start(repository.folder))
    import time

    from envcompile.actions.past import open_past

    try:
        with closing(open_past(repository.folder)) as past:
            told = news.tell(past, os.environ, _do_not_wait if is_in_a_hurry else time.sleep)
    except EnvcError as error:
        return Telling(0, (f"nobody is told of what was recorded: {error.problems[0].what}",))
    return Telling(told.sent, tuple(f"{problem.what}; the message waits in .envc/notify" for problem in told.waiting))


def _do_not_wait(_: float) -> None:
    raise UnavailableError([Problem("a receiver does not answer at the first try", "the next record tries again")])


def _start(folder: Path) -> tuple[str, ...]:
    """Start the recorder in a session of its own, so that nobody waits for it; what to warn of."""
    try:
        subprocess.Popen(
            [*own_command(), "history", "record", "--waiting"],
            cwd=folder,
            env=dict(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        return (f"the recorder cannot be started ({error.strerror}); the commit waits in .envc/spool",)
    return ()
