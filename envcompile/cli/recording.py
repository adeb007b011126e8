"""What `envc history` does when it writes: record, import, upgrade, and the examination of what is there."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from envcompile.cli.output import data, tell
from envcompile.errors import EXIT_OK, EXIT_WRONG, EnvcError, Problem, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from envcompile.actions.outbox import News
    from envcompile.actions.past import Past
    from envcompile.actions.record import Recorded
    from envcompile.git.repository import Repository


def record_and_tell(folder: Path, revisions: Sequence[str], *, detach: bool) -> int:
    """Do `envc history record` and say what was done; the exit code."""
    said = record_commits(folder, revisions, detach=detach)
    if said:
        tell(said)
    return EXIT_OK


def record_commits(folder: Path, revisions: Sequence[str], *, detach: bool) -> str:
    """Let commits wait in the spool and record all that waits, here or in a process of its own.

    Raises:
        UsageError: git knows no such revision.
        UnavailableError: the database does not answer; the commits wait.
    """
    from envcompile.actions.opening import open_repository
    from envcompile.history.database import connect, location
    from envcompile.history.spool import Spool
    from envcompile.history.store import Store

    repository = open_repository(folder)
    spool = Spool(repository.home)
    with closing(repository.objects()) as objects:
        for revision in revisions:
            spool.add(objects.resolve(revision) or repository.resolve(revision))
        if detach:
            _start(repository.folder)
            return ""
        from envcompile.actions.outbox import News
        from envcompile.actions.record import take_up

        news = News(repository.home)
        said = "" if not revisions else "recorded already"
        with spool.alone():
            if spool.waiting():
                try:
                    with closing(connect(location(repository.home))) as database:
                        said = _summary(take_up(repository, Store(database), spool, objects, news))
                except UnavailableError as error:
                    spool.note(str(error.problems[0].what))
                    raise
                spool.note("")
    if not news.is_empty():
        _tell_people(repository, news, is_in_a_hurry=bool(revisions))
    return said


def _tell_people(repository: Repository, news: News, *, is_in_a_hurry: bool) -> None:
    """Send the messages about recorded commits; whatever goes wrong, they wait, and the record stands.

    Somebody in a hurry does not wait for a receiver that is away: when messages wait from before, or one must be sent
    again, a process of its own does it.
    """
    if is_in_a_hurry and news.is_waiting() and not os.environ.get("CI"):
        _start(repository.folder)
        return
    import time

    from envcompile.actions.past import open_past

    try:
        with closing(open_past(repository.folder)) as past:
            told = news.tell(past, os.environ, _do_not_wait if is_in_a_hurry else time.sleep)
    except EnvcError as error:
        tell(f"warning: nobody is told of what was recorded: {error.problems[0].what}")
        return
    if told.sent:
        tell(f"{_counted(told.sent, 'message')} sent")
    for problem in told.waiting:
        tell(f"warning: {problem.what}; the message waits in .envc/notify")


def _do_not_wait(_: float) -> None:
    raise UnavailableError([Problem("a receiver does not answer at the first try", "the next record tries again")])


def import_commits(folder: Path, revisions: Sequence[str], *, every: bool) -> str:
    """Record everything that revisions reach.

    Raises:
        UsageError: git knows no such revision.
        UnavailableError: the database does not answer; what was recorded until then stays.
    """
    from envcompile.actions.past import open_past
    from envcompile.actions.record import record

    past = open_past(folder, create=True)
    try:
        repository = past.repository
        starts = repository.heads() if every else [repository.resolve(revision) for revision in revisions]
        commits = past.repository.walk(starts, oldest_first=True)
        known = past.store.known()
        todo = [commit for commit in commits if commit not in known]
        if not todo:
            return f"all {len(commits)} commits are recorded"
        with _progress("commits") as progress:
            found = record(past.repository, past.store, todo, progress=progress)
    finally:
        past.close()
    return _summary(found)


def sync_history(folder: Path) -> str:
    """Record everything that the checked-out branch, and the one it tracks, reach and that is missing; what was done.

    Raises:
        UnavailableError: the database does not answer; what is not recorded yet waits on.
    """
    from envcompile.actions.outbox import News
    from envcompile.actions.past import open_past
    from envcompile.actions.synchronise import synchronise

    with closing(open_past(folder, create=True)) as past:
        news = News(past.repository.home)
        with _progress("commits") as progress:
            found = synchronise(past, news=news, progress=progress)
        past.spool.note("")
    if not news.is_empty():
        _tell_people(past.repository, news, is_in_a_hurry=True)
    return _summary(found) if found.new or found.gone else "nothing is missing"


def rebuild_history(folder: Path, *, check: bool = False) -> tuple[str, int]:
    """Compile every recorded commit again and replace what is recorded; what was done, and the exit code.

    Args:
        folder: a folder of the project.
        check: compare only; the exit code is 16 when something differs.

    Raises:
        UnavailableError: the database does not answer, or somebody else rebuilds it.
    """
    from envcompile.actions.past import open_past
    from envcompile.actions.synchronise import rebuild
    from envcompile.errors import EXIT_DIFFERENT

    with closing(open_past(folder)) as past, _progress("commits") as progress:
        found = rebuild(past, check=check, progress=progress)
    said = f"{_counted(found.compiled, 'commit')} compiled again"
    if found.carried:
        said += f", {_counted(found.carried, 'other')} kept as recorded"
    if not found.differing:
        return f"{said}: nothing differs", EXIT_OK
    shown = ", ".join(name[:12] for name in found.differing[:5]) + (", …" if len(found.differing) > 5 else "")
    differing = f"{said}: {len(found.differing)} differ{'s' if len(found.differing) == 1 else ''} ({shown})"
    return (differing, EXIT_DIFFERENT) if check else (f"{differing} and replaced what was recorded", EXIT_OK)


@contextmanager
def _progress(word: str) -> Generator[Callable[[int, int], None] | None]:
    """A progress bar where somebody watches; nothing anywhere else."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(word), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(word, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def upgrade_database(folder: Path) -> str:
    """Bring the tables to the version of this envc.

    Raises:
        UnavailableError: the database does not answer, or was written by a newer envc.
    """
    from envcompile.actions.past import open_repository
    from envcompile.history.database import VERSION, connect, location, version_of
    from envcompile.history.migrate import upgrade

    url = location(open_repository(folder).home)
    database = connect(url, any_version=True)
    before = version_of(database)
    database.close()
    if before < VERSION:
        upgrade(url)
    connect(url).close()
    return f"the history database has version {VERSION}" + (f", it had {before}" if before < VERSION else "")


def examine(past: Past) -> int:
    """Say what is wrong with the database, the spool and the record's completeness; the exit code for it."""
    from envcompile.history.doctor import check

    checked = check(past.store)
    data(f"{checked.contents} contents and {checked.revisions} revisions verified")
    wrong = [
        f"{damage}: restore the database from a copy, or delete it and run `envc history import`"
        for damage in checked.damage
    ]
    known = past.store.known()
    reached = past.repository.walk(["HEAD"])
    holes = sum(commit not in known for commit in reached)
    if holes:
        wrong.append(f"{holes} of {_counted(len(reached), 'commit')} not recorded: run `envc history import`")
    waiting = past.spool.waiting()
    if waiting:
        reason = past.spool.last_error()
        wrong.append(f"{_counted(len(waiting), 'commit')} waiting to be recorded" + (f": {reason}" if reason else ""))
    wrong += [f"{past.spool.folder / name} is no commit: remove it" for name in past.spool.strangers()]
    for line in wrong:
        data(line)
    return EXIT_WRONG if wrong else EXIT_OK


def _summary(found: Recorded) -> str:
    text = f"{_counted(len(found.new), 'commit')} recorded"
    if found.failing:
        text += f", {len(found.failing)} of them do not compile"
    if found.gone:
        return f"{text}; {_counted(len(found.gone), 'commit')} that waited, git holds no more"
    return text if found.new else "recorded already"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _start(folder: Path) -> None:
    """Start the recorder in a session of its own, so that nobody waits for it."""
    try:
        subprocess.Popen(
            [sys.executable, "-m", "envcompile", "history", "record", "--waiting"],
            cwd=folder,
            env=dict(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        tell(f"the recorder cannot be started ({error.strerror}); the commit waits in .envc/spool")
