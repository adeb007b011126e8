"""The history brought in line with git: what is missing is recorded, and what is recorded is compiled again."""

from __future__ import annotations

from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from envcompile.actions.record import Recorded, record, take_up
from envcompile.actions.recorder import Recorder
from envcompile.errors import Problem, UnavailableError
from envcompile.files import lock
from envcompile.git.own_folder import make_own
from envcompile.history.database import connect
from envcompile.history.rebuild import holds_the_same, replace_all
from envcompile.history.store import Content, Store, delta_of, failed
from envcompile.log import progress

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from pathlib import Path

    from envcompile.actions.outbox import News
    from envcompile.actions.past import Past
    from envcompile.git.repository import Commit, Repository
    from envcompile.history.store import Delta

_SCRATCH = "rebuild.db"


class Rebuilt(NamedTuple):
    """What compiling everything again came to."""

    compiled: int
    """Commits that git holds."""
    carried: int
    """Commits that git holds no more, or that were pruned: they are kept as they were recorded."""
    differing: tuple[str, ...]
    """Commits that compile to something else than what was recorded."""


def synchronise(past: Past, *, news: News | None = None) -> Recorded:
    """Record the commits that wait, and all that the checked-out branch, and the one it tracks, reach besides.

    Where nothing is missing this costs as much as `git rev-list`.

    Args:
        past: the history.
        news: notes those of the waiting commits that people are to be told of; the others are old.

    Raises:
        UnavailableError: the database does not answer; what is not recorded yet waits on.
    """
    with past.spool.alone():
        found = take_up(past.repository, past.store, past.spool, news=news)
    tips = _tips(past.repository)
    known = past.store.known()
    missing = (
        [commit for commit in past.repository.walk(tips, oldest_first=True) if commit not in known] if tips else []
    )
    if not missing:
        return found
    new = record(past.repository, past.store, missing)
    return Recorded((*found.new, *new.new), new.known, (*found.failing, *new.failing), found.gone)


def rebuild(past: Past, *, check: bool = False) -> Rebuilt:
    """Compile every recorded commit again, and put what it comes to in the place of what is recorded.

    Every commit is compiled whole, whatever is remembered of units, into a database beside the history; the history
    itself changes in one transaction at the end, or not at all. What is recorded meanwhile is not lost.

    Args:
        past: the history.
        check: compare only.

    Raises:
        UnavailableError: the database does not answer, or the history is being rebuilt already.
    """
    database = past.store.database
    with _scratch(past.repository.home) as scratch, closing(connect(f"sqlite:///{scratch}")) as fresh:
        renewal = _Renewal(past, Store(fresh))
        renewal.run()
        if not check:
            while True:
                with database.writing():
                    if renewal.is_complete():
                        replace_all(database, fresh)
                        break
                renewal.run()
        return Rebuilt(len(renewal.compiled), renewal.carried, tuple(renewal.differing))


class _Renewal:
    """The recorded commits, recorded again in another database."""

    def __init__(self, past: Past, fresh: Store) -> None:
        self._past = past
        self._fresh = fresh
        self.compiled: set[str] = set()
        self.carried = 0
        self.differing: list[str] = []

    def is_complete(self) -> bool:
        """Tell whether everything that is recorded now was recorded again."""
        return self._past.store.known() == self._fresh.known()

    def run(self) -> None:
        """Record again what was not yet."""
        past, fresh = self._past, self._fresh
        rows = past.store.database.rows("SELECT hash, first_parent, tool, recorded_at FROM recorded_commit ORDER BY id")
        done = fresh.known()
        todo = [row for row in _parents_first({row[0]: row for row in rows}) if row[0] not in done]
        with Recorder(past.repository, fresh, remembers=False) as recorder:
            here = [name for name, _, tool, _ in todo if tool and recorder.objects.parents(name) is not None]
            facts = {commit.hash: commit for commit in past.repository.commits(here)}
            for position, (name, _, _, recorded_at) in enumerate(todo):
                if name in facts:
                    recorder.record(facts[name], now=recorded_at)
                    self.compiled.add(name)
                else:
                    self._carry(past.store.commits([name])[name], recorded_at)
                if not holds_the_same(past.store, fresh, name):
                    self.differing.append(name)
                progress("commits", position + 1, len(todo))

    def _carry(self, commit: Commit, recorded_at: int) -> None:
        """Keep a commit as it was recorded."""
        inputs, tool = self._past.store.inputs_and_tool(commit.hash)
        self._fresh.write(commit, inputs, tool, recorded_at, list(self._carried_deltas(commit)))
        self.carried += 1

    def _carried_deltas(self, commit: Commit) -> Iterator[Delta]:
        store = self._past.store
        bases = self._fresh.revisions_of(commit.parents[0]) if commit.parents else {}
        for name, revision in store.revisions_of(commit.hash).items():
            base = bases.get(name)
            if revision.problem:
                yield failed(name, base, revision.problem)
                continue
            state = store.state(revision.id)
            before = self._fresh.state(base.id) if base is not None else {}
            changed = [held for identity, held in state.items() if before.get(identity, held)[1:] != held[1:]]
            changed += [held for identity, held in state.items() if identity not in before]
            bodies = store.bodies({held.content for held in changed})
            contents = {
                identity: Content(bodies.get(held.content, b""), held.digest, held.file)
                for identity, held in state.items()
            }
            delta = delta_of(name, base, before, contents)
            yield delta._replace(fields=store.field_rows(revision.id)) if base is not None else delta


def _tips(repository: Repository) -> list[str]:
    """The commit that is checked out, and that of the branch it tracks."""
    found = [repository.find(name) for name in ("HEAD", "@{upstream}")]
    return [commit for commit in dict.fromkeys(found) if commit]


def _parents_first(rows: dict[str, tuple[str, str, str, int]]) -> Iterable[tuple[str, str, str, int]]:
    """The rows in an order in which every commit comes behind its first parent."""
    placed: dict[str, tuple[str, str, str, int]] = {}
    for start in rows:
        chain = []
        name = start
        while name in rows and name not in placed:
            chain.append(name)
            placed[name] = rows[name]
            name = rows[name][1]
        for name in chain:
            del placed[name]
        placed.update((name, rows[name]) for name in reversed(chain))
    return placed.values()


@contextmanager
def _scratch(home: Path) -> Generator[Path]:
    """The file of a database that nobody else uses; it goes when it is not needed any more."""
    make_own(home)
    path = home / _SCRATCH
    with lock(home / f"{_SCRATCH}.lock", _refuse):
        _remove(path)
        try:
            yield path
        finally:
            _remove(path)


def _refuse() -> NoReturn:
    raise UnavailableError([Problem("the history is being rebuilt by another process", "wait until it is done")])


def _remove(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        with suppress(FileNotFoundError):
            path.with_name(name).unlink()
