"""Recording one commit after the other; what was read for one serves the next."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.commit_inputs import inputs_of
from envcompile.actions.commit_states import CommitStates, reason
from envcompile.actions.revisions import contents, delta_beside, field_rows, ground_of, rows_between
from envcompile.actions.tool import tool_of
from envcompile.errors import EnvcError, UnavailableError
from envcompile.history.store import delta_of, failed, unchanged
from envcompile.units.snapshot import tool_stamp

if TYPE_CHECKING:
    from typing import Self

    from envcompile.actions.outbox import News
    from envcompile.actions.revisions import Ground
    from envcompile.git.objects import GitObjects
    from envcompile.git.repository import Commit, Repository
    from envcompile.history.store import Delta, Revision, Store
    from envcompile.kubernetes import KubeApi
    from envcompile.units.compare import State


class Written(NamedTuple):
    """What became of one commit."""

    is_new: bool
    """False when it was recorded before."""
    fails: bool
    """It does not compile in some environment."""
    environments: tuple[str, ...]
    """Those in which it differs from its recorded parent, sorted."""


class Recorder:
    """Records the commits of one repository.

    Args:
        repository: where the commits are.
        store: the history database.
        objects: reads the repository; a reader of its own when left out.
        news: notes the commits that people are to be told of; nobody is told when left out.
        keeps: take up what other runs learnt of files and units, and keep what this one learns for them.
        remembers: make only what differs from what was made before; else everything is compiled whole.
    """

    def __init__(
        self,
        repository: Repository,
        store: Store,
        *,
        objects: GitObjects | None = None,
        news: News | None = None,
        keeps: bool = False,
        remembers: bool = True,
    ) -> None:
        self.repository = repository
        self.store = store
        self.objects = objects or repository.objects()
        self._is_own = objects is None
        self.news = news
        self._grounds: dict[str, Ground] = {}
        stamp = tool_stamp()
        self._tool = tool_of(repository.home, stamp)
        self._states = CommitStates(repository, self.objects, stamp, keeps=keeps, remembers=remembers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._states.save()
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
        self._states.latest = commit.hash
        parent = commit.parents[0] if commit.parents else ""
        while True:
            bases = self.store.revisions_of(parent) if parent else {}
            deltas = self._deltas(commit.hash, parent, bases, inputs)
            differing = [delta.environment for delta in deltas if delta.changed or delta.gone]
            differing += [name for name in bases if name not in {delta.environment for delta in deltas}]
            moment = int(time.time()) if now is None else now
            if self.news is not None and bases and differing:
                self.news.begin(self.store, commit.hash, moment)
            written = self.store.write(commit, inputs, self._tool, moment, deltas)
            if written is not None:
                break
        if self.news is not None and not written:
            self.news.forget(commit.hash)
        if written:
            self._adopt_children(commit)
        self._states.forget()
        return Written(written, any(delta.problem for delta in deltas), tuple(sorted(differing)))

    def _deltas(self, commit: str, parent: str, bases: dict[str, Revision], inputs: str) -> list[Delta]:
        """What a commit changes; when not even its settings can be read, all that was before it fails."""
        before = self.store.inputs_and_tool(parent) if bases else ("", "")
        is_sound = not any(base.problem for base in bases.values())
        if before == (inputs, self._tool) and is_sound:
            return [unchanged(base) for base in bases.values()]
        at = self._states.open(commit)
        if at.problem:
            return [failed(name, bases[name], at.problem) for name in sorted(bases)]
        # What another envc compiled is no ground to stand on: it may have been wrong.
        grounds = {name: base for name, base in bases.items() if before[1] == self._tool and not base.problem}
        deltas: list[Delta] = []
        made: list[tuple[str, State]] = []
        for name in at.digests:
            if name in grounds and self._states.is_the_same(name, parent, commit):
                deltas.append(unchanged(grounds[name]))
                continue
            try:
                made.append((name, self._states.state(commit, name)))
            except UnavailableError:
                raise
            except EnvcError as error:
                deltas.append(failed(name, bases.get(name), reason(error)))
        self.store.load_states([bases[name].id for name, _ in made if name in bases])
        return deltas + [self._delta(state, bases.get(name), parent if name in grounds else "") for name, state in made]

    def _delta(self, state: State, base: Revision | None, parent: str) -> Delta:
        """What a state changes against its base; `parent` is the commit of the base where that can be relied on."""
        if base is None:
            return delta_of(state.environment, None, {}, contents(state))
        recorded = self.store.state(base.id)
        ground = self._ground(base, parent) if parent else None
        if ground is not None:
            delta, self._grounds[base.environment] = delta_beside(ground, state, base, recorded)
        else:
            delta = delta_of(state.environment, base, recorded, contents(state))
        return delta._replace(fields=field_rows(self.store, recorded, state, delta))

    def _ground(self, base: Revision, parent: str) -> Ground | None:
        before = self._states.known_state(parent, base.environment)
        if before is None:
            return None
        known = self._grounds.get(base.environment)
        if known is not None and known.state is before and known.digest == base.digest:
            return known
        return ground_of(before, base, self.store.state(base.id))

    def _adopt_children(self, commit: Commit) -> None:
        """Children that were recorded before their parent hold all; now they hold only what they changed."""
        orphans = self.store.orphans(commit.hash)
        if not orphans:
            return
        own = self.store.revisions_of(commit.hash)
        for environment, children in orphans.items():
            if environment not in own:
                continue
            for child in children:
                if child.problem:
                    continue  # it holds nothing, and what was recorded after it holds all
                api = self._api_of(commit.hash, own[environment])
                rows = rows_between(self.store, own[environment].id, child.id, api) if api is not None else []
                self.store.adopt(child, own[environment].id, rows)

    def _api_of(self, commit: str, revision: Revision) -> KubeApi | None:
        """What a commit knows of kinds; None where it does not compile."""
        project = self._states.open(commit).project
        return project.plan(revision.environment).api if project is not None and not revision.problem else None
