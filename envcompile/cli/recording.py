"""What `envc history` does when it writes: record, import, upgrade, and the examination of what is there."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from envcompile.cli.output import data, tell
from envcompile.cli.pastlines import counted
from envcompile.errors import EXIT_OK, EXIT_WRONG, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.pipeline.past import Past
    from envcompile.pipeline.recording import Recorded


def record_commits(folder: Path, revisions: Sequence[str], *, detach: bool) -> str:
    """Let commits wait in the spool and record all that waits, here or in a process of its own.

    Raises:
        UsageError: git knows no such revision.
        UnavailableError: the database does not answer; the commits wait.
    """
    from envcompile.history.spool import Spool
    from envcompile.pipeline.past import open_past, open_repository
    from envcompile.pipeline.recording import take_up

    # One short run allocates much and frees little: the collector would only look for cycles that are not there.
    gc.disable()
    repository = open_repository(folder)
    spool = Spool(repository.home)
    for revision in revisions:
        spool.add(repository.resolve(revision))
    if detach:
        _start(repository.folder)
        return ""
    with spool.alone():
        waiting = len(spool.waiting())
        if not waiting:
            return "" if not revisions else "recorded already"
        try:
            past = open_past(folder, create=True)
            try:
                found = take_up(past.repository, past.store, past.spool)
            finally:
                past.close()
        except UnavailableError as error:
            spool.note(str(error.problems[0].what))
            raise
        spool.note("")
    return _summary(found)


def import_commits(folder: Path, revisions: Sequence[str], *, every: bool) -> str:
    """Record everything that revisions reach.

    Raises:
        UsageError: git knows no such revision.
        UnavailableError: the database does not answer; what was recorded until then stays.
    """
    from envcompile.pipeline.past import open_past
    from envcompile.pipeline.recording import record

    past = open_past(folder, create=True)
    try:
        starts = ["--all"] if every else [past.repository.resolve(revision) for revision in revisions]
        commits = past.repository.walk(starts, oldest_first=True)
        known = past.store.known()
        todo = [commit for commit in commits if commit not in known]
        if not todo:
            return f"all {len(commits)} commits are recorded"
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("commits"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            with Progress(*columns, console=Console(stderr=True)) as bar:
                task = bar.add_task("commits", total=len(todo))
                found = record(
                    past.repository, past.store, todo, progress=lambda done, _: bar.update(task, completed=done)
                )
        else:
            found = record(past.repository, past.store, todo)
    finally:
        past.close()
    return _summary(found)


def upgrade_database(folder: Path) -> str:
    """Bring the tables to the version of this envc.

    Raises:
        UnavailableError: the database does not answer, or was written by a newer envc.
    """
    from envcompile.history.database import VERSION, connect, location, version_of
    from envcompile.history.migrate import upgrade
    from envcompile.pipeline.past import open_repository

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
        wrong.append(f"{holes} of {counted(len(reached), 'commit')} not recorded: run `envc history import`")
    waiting = past.spool.waiting()
    if waiting:
        reason = past.spool.last_error()
        wrong.append(f"{counted(len(waiting), 'commit')} waiting to be recorded" + (f": {reason}" if reason else ""))
    wrong += [f"{past.spool.folder / name} is no commit: remove it" for name in past.spool.strangers()]
    for line in wrong:
        data(line)
    return EXIT_WRONG if wrong else EXIT_OK


def _summary(found: Recorded) -> str:
    text = f"{counted(len(found.new), 'commit')} recorded"
    if found.failing:
        text += f", {len(found.failing)} of them do not compile"
    if found.gone:
        return f"{text}; {counted(len(found.gone), 'commit')} that waited, git holds no more"
    return text if found.new else "recorded already"


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
