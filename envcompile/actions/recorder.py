"""Recording one commit after the other; what was read for one serves the next."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from envcompile import __version__
from envcompile.actions.commitfiles import inputs_of
from envcompile.actions.revisions import contents, field_rows, rows_between
from envcompile.errors import EnvcError
from envcompile.git.identity import readable
from envcompile.history.store import delta_of, failed, unchanged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from envcompile.actions.outbox import News
    from envcompile.git.objects import GitObjects
    from envcompile.git.repository import Commit, Repository
    from envcompile.git.trees import CommitTree
    from envcompile.history.store import Delta, Revision, Store
    from envcompile.units.project import CompiledEnvironment


class Written(NamedTuple):
    """What became of one commit."""

    is_new: bool
    """False when it was recorded before."""
    fails: bool
    """It does not compile in some environment."""
    environments: tuple[str, ...]
    """Those in which it differs from its recorded parent, sorted."""


class _Whole(NamedTuple):
    """A commit compiled in all its environments: what each holds, or why it does not compile."""

    environments: dict[str, CompiledEnvironment]
    problems: dict[str, str]


class Recorder:
    """Records the commits of one repository.

    Args:
        repository: where the commits are.
        store: the history database.
        objects: reads the repository; a reader of its own when left out.
        news: notes the commits that people are to be told of; nobody is told when left out.
    """

    def __init__(
        self,
        repository: Repository,
        store: Store,
        *,
        objects: GitObjects | None = None,
        news: News | None = None,
    ) -> None:
        self.repository = repository
        self.store = store
        self.objects = objects or repository.objects()
        self._is_own = objects is None
        self.news = news
        self._wholes: dict[str, _Whole] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_own:
            self.objects.close()

    def record(self, commit: Commit, *, now: int | None = None) -> Written:
        """Record a commit.

        Args:
            commit: the commit.
            now: seconds since 1970; the present when left out.

        Raises:
            UnavailableError: the database or git does not answer; then nothing of the commit is recorded.
        """
        inputs = inputs_of(self.objects, commit.hash, self.repository.prefix)
        parent = commit.parents[0] if commit.parents else ""
        while True:
            bases = self.store.revisions_of(parent) if parent else {}
            deltas = self._deltas(commit.hash, parent, bases, inputs)
            differing = [delta.environment for delta in deltas if delta.changed or delta.gone]
            differing += [name for name in bases if name not in {delta.environment for delta in deltas}]
            moment = int(time.time()) if now is None else now
            if self.news is not None and bases and differing:
                self.news.begin(self.store, commit.hash, moment)
            written = self.store.write(commit, inputs, __version__, moment, deltas)
            if written is not None:
                break
        if self.news is not None and not written:
            self.news.forget(commit.hash)
        if written:
            self._adopt_children(commit)
        self._wholes.clear()
        self.objects.forget()
        return Written(written, any(delta.problem for delta in deltas), tuple(sorted(differing)))

    def _deltas(self, commit: str, parent: str, bases: dict[str, Revision], inputs: str) -> list[Delta]:
        before = self.store.inputs_and_tool(parent) if bases else ("", "")
        is_sound = not any(base.problem for base in bases.values())
        if before == (inputs, __version__) and is_sound:
            return [unchanged(base) for base in bases.values()]
        return list(self._deltas_of_whole(commit, bases))

    def _deltas_of_whole(self, commit: str, bases: dict[str, Revision]) -> Iterator[Delta]:
        whole = self._whole(commit, sorted(bases))
        self.store.load_states([base.id for base in bases.values()])
        for name, problem in whole.problems.items():
            yield failed(name, bases.get(name), problem)
        for name, built in whole.environments.items():
            base = bases.get(name)
            before = self.store.state(base.id) if base is not None else {}
            delta = delta_of(name, base, before, contents(built))
            yield delta._replace(fields=field_rows(self.store, before, built, delta)) if base is not None else delta

    def _whole(self, commit: str, before: list[str]) -> _Whole:
        """What a commit compiles to; when not even its settings can be read, all that was before it fails."""
        known = self._wholes.get(commit)
        if known is not None:
            return known
        from envcompile.units.project import Project

        found = self._wholes[commit] = _Whole({}, {})
        tree = self.repository.commit_tree(commit, self.objects)
        if not any(tree.exists(path) for path in ("base", "overlays", "envc.yaml")):
            return found
        try:
            project = Project(tree)
        except EnvcError as error:
            self._refuse_partial(tree)
            found.problems.update(dict.fromkeys(before, _reason(error)))
            return found
        for name in project.environments:
            try:
                found.environments[name] = project.compile_with_sources(name)
            except EnvcError as error:
                self._refuse_partial(tree)
                found.problems[name] = _reason(error)
        return found

    def _refuse_partial(self, tree: CommitTree) -> None:
        """Record no failure that a whole clone would not have."""
        if tree.lacks is not None and self.repository.is_partial():
            raise tree.lacks

    def _adopt_children(self, commit: Commit) -> None:
        """Children that were recorded before their parent hold all; now they hold only what they changed."""
        orphans = self.store.orphans(commit.hash)
        if not orphans:
            return
        own = self.store.revisions_of(commit.hash)
        whole = self._whole(commit.hash, sorted(own))
        for environment, children in orphans.items():
            if environment not in own:
                continue
            built = whole.environments.get(environment)
            for child in children:
                if child.problem:
                    continue  # it holds nothing, and what was recorded after it holds all
                rows = rows_between(self.store, own[environment].id, child.id, built.composed.api) if built else []
                self.store.adopt(child, own[environment].id, rows)


def _reason(error: EnvcError) -> str:
    problem = error.problems[0]
    return readable(problem.what + (f" ({problem.where[0]})" if problem.where else ""))
