"""What commits compile to, one after the other: what did not change since the last one is not made again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.commit_inputs import EnvironmentInputs
from envcompile.errors import EnvcError, UnavailableError
from envcompile.git.identity import readable
from envcompile.units.compare import State
from envcompile.units.kept_plans import BUILT, RECORDED, KeptPlans, KeptRecords, keep_plans_at
from envcompile.units.memo import FOLDER, FolderMemo, Remembered, told_of
from envcompile.units.project import Project
from envcompile.units.revised import plan_after, revised
from envcompile.units.unit import UnitExports  # ruff: ignore[typing-only-first-party-import] - records are read by their types

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from envcompile.git.objects import GitObjects
    from envcompile.git.repository import Repository
    from envcompile.git.trees import CommitTree
    from envcompile.sources.scans import FileScan
    from envcompile.units.environment import LinkedEnvironment

_MOST_COMMITS, _MOST_STATES, _MOST_UNITS = 3, 3, 50_000
"""Commits, states of an environment, and units that are kept at hand."""


class OpenCommit(NamedTuple):
    """A commit whose settings were read."""

    project: Project | None
    """None for a commit without sources, and for one whose settings cannot be read."""
    problem: str
    """Why the settings cannot be read."""
    tree: CommitTree
    digests: Mapping[str, str]
    """Environment -> a digest of everything that has a say in it."""


class _Kept(NamedTuple):
    """An environment that was made, and the files that said how."""

    state: State
    frame: tuple[str, ...] | None
    """None where its plan tells by itself, or there are others besides."""


class CommitStates:
    """The environments of commits of one repository.

    Args:
        repository: where the commits are.
        objects: reads them.
        tool: names this envc on this machine.
        keeps: take up what other runs learnt, and keep what this one learns for them.
        remembers: use what was learnt; else every environment is compiled whole.
    """

    def __init__(
        self, repository: Repository, objects: GitObjects, tool: str, *, keeps: bool = False, remembers: bool = True
    ) -> None:
        self._repository = repository
        self._objects = objects
        home = repository.home
        self._units = (
            _Units(home.parent, tool, keeps=keeps and home.name == FOLDER.partition("/")[0]) if remembers else None
        )
        self._inputs = EnvironmentInputs(objects, repository.prefix)
        self._scans: dict[tuple[str, str], FileScan] = {}
        if self._units is not None and self._units.keeps:
            self._scans.update(self._units.scans())
        self._commits: dict[str, OpenCommit] = {}
        self.latest = ""
        """The commit of which plans are kept for later runs."""
        self._states: dict[str, dict[str, _Kept]] = {}

    def open(self, commit: str) -> OpenCommit:
        """Read the settings of a commit.

        Raises:
            UnavailableError: the repository does not hold all of it.
        """
        known = self._commits.pop(commit, None) or self._open(commit)
        self._commits[commit] = known
        while len(self._commits) > _MOST_COMMITS:
            del self._commits[next(iter(self._commits))]
        return known

    def state(self, commit: str, environment: str) -> State:
        """An environment of a commit whose settings can be read.

        Raises:
            EnvcError: everything that is wrong with it.
            UnavailableError: the repository does not hold all of it.
        """
        at = self.open(commit)
        known = self._states.setdefault(environment, {})
        digest = at.digests[environment]
        kept = known.get(digest) if self._units is not None else None
        if kept is None:
            kept = known[digest] = self._make(at, environment, next(reversed(known.values()), None))
        while len(known) > _MOST_STATES:
            del known[next(iter(known))]
        return kept.state

    def known_state(self, commit: str, environment: str) -> State | None:
        """An environment of a commit beside which others are told; None where it does not compile, or is not there."""
        if self._units is None or not self._objects.root(commit):
            return None
        try:
            return self.state(commit, environment) if environment in self.open(commit).digests else None
        except EnvcError:
            return None

    def is_the_same(self, environment: str, before: str, after: str) -> bool:
        """Tell whether nothing that has a say in an environment differs between two commits."""
        if self._units is None or not self._objects.root(before):
            return False
        return self.open(before).digests.get(environment) == self.open(after).digests.get(environment, "")

    def forget(self) -> None:
        """Drop what has become much."""
        self._objects.forget()
        if self._units is not None:
            self._units.forget()

    def save(self) -> None:
        """Keep what was learnt for later runs."""
        if self._units is not None and self._units.keeps:
            self._units.save_scans(self._scans)
            self._units.save()
            self._keep_plans(self._units)

    def _keep_plans(self, units: _Units) -> None:
        """Keep the plans of the latest commit, where all its environments compiled."""
        at = self._commits.get(self.latest)
        if at is None or at.project is None:
            return
        states = [self._states.get(name, {}).get(digest) for name, digest in at.digests.items()]
        plans = [one.state.plan for one in states if one is not None and one.state.plan is not None]
        if plans and len(plans) == len(at.digests):
            keep_plans_at(units.records, units.tool, at.project, at.tree, plans)
            at.project.parsed.adopt()
            units.save_scans(at.project.parsed.new_scans)

    def _open(self, commit: str) -> OpenCommit:
        from envcompile.sources import ParsedFiles

        tree = self._repository.commit_tree(commit, self._objects)
        if not any(tree.exists(path) for path in ("base", "overlays", "envc.yaml")):
            return OpenCommit(None, "", tree, {})

        blobs: dict[str, str] = {}

        def digest_of(path: str) -> str:
            return blobs.get(path) or tree.blob_of(path)

        remembers = self._units is not None
        parsed = ParsedFiles(digest_of, self._scans, len(commit)) if remembers else ParsedFiles(digits=len(commit))
        units = self._units
        kept = None
        if units is not None and units.keeps:
            for series in (RECORDED, BUILT):
                kept = kept or KeptPlans.at_commit(units.records, units.tool, tree, parsed, series)
        if kept is not None:
            project = Project(tree, parsed, units, kept=kept)
            return OpenCommit(project, "", tree, self._inputs.of(commit, kept.layers, project.settings.crds))
        try:
            project = Project(tree, parsed, units)
        except UnavailableError:
            raise
        except EnvcError as error:
            self._refuse_what_lacks(tree)
            return OpenCommit(None, reason(error), tree, {})
        sources = project.sources
        for entries in (sources.base, *(overlay.files for overlay in sources.overlays.values())):
            blobs.update((entry.path, entry.blob) for entry in entries)
        crds = project.settings.crds
        layers = {name: sources.layers[name] for name in project.environments}
        return OpenCommit(project, "", tree, self._inputs.of(commit, layers, crds))

    def _make(self, at: OpenCommit, environment: str, latest: _Kept | None) -> _Kept:
        project = at.project
        if project is None:
            raise ValueError("the settings of this commit cannot be read")
        if self._units is None or project.memo is None:
            return _Kept(State(self._link(at, project, environment)), None)
        frame = self._frame(at.tree, project, environment) if project.kept is None else None
        try:
            state = self._revised(project, environment, latest, frame)
        except EnvcError:
            state = None  # the whole says what is wrong
        if state is not None:
            self._scans.update(project.parsed.new_scans)
            return _Kept(state, frame)
        linked = self._link(at, project, environment)
        return _Kept(State(linked, latest.state if latest is not None else None), frame)

    @staticmethod
    def _revised(
        project: Project, environment: str, latest: _Kept | None, frame: tuple[str, ...] | None
    ) -> State | None:
        """An environment as an edit of the latest one; None where it is another one."""
        if latest is None or latest.state.plan is None:
            return None
        if project.kept is not None:
            return revised(latest.state, project.plan(environment))
        if frame is None or frame != latest.frame:
            return None
        plan = plan_after(latest.state.plan, project.sources_of(environment))
        return revised(latest.state, plan) if plan is not None else None

    @staticmethod
    def _frame(tree: CommitTree, project: Project, environment: str) -> tuple[str, ...] | None:
        """The files that say how an environment is made, by their content; None where there are others besides."""
        try:
            own = project.sources_of(environment).own_files
            return None if project.settings.crds else tuple([f"{path} {tree.blob_of(path)}" for path in own])
        except EnvcError:
            return None

    def _link(self, at: OpenCommit, project: Project, environment: str) -> LinkedEnvironment:
        try:
            linked = project.link(environment)
        except EnvcError:
            self._refuse_what_lacks(at.tree)
            raise
        finally:
            if self._units is not None and project.memo is not None:
                self._scans.update(project.parsed.new_scans)
        if self._units is not None and project.memo is not None:
            self._units.learn(linked)
        return linked

    @staticmethod
    def _refuse_what_lacks(tree: CommitTree) -> None:
        """Record no failure that a whole clone would not have: an object may be missing here, or its file damaged."""
        if tree.lacks is not None:
            raise tree.lacks


class _Known(Remembered, array_like=True):
    """A unit whose exports are at hand."""

    held: UnitExports | None = None

    def exports(self) -> UnitExports | None:
        """What the unit tells to the others; None when that is damaged."""
        if self.held is None:
            self.held = Remembered.exports(self)
        return self.held

    @classmethod
    def beside(cls, entry: Remembered, held: UnitExports | None = None) -> _Known:
        """What is remembered, with the exports where they are known."""
        return cls(entry.app, entry.told, entry.told_digest, entry.inputs, entry.files, held)


class _Units(FolderMemo):
    """Units of several commits.

    Args:
        root: the project's folder.
        tool: names this envc.
        keeps: take up what other runs remember.
    """

    def __init__(self, root: Path, tool: str, *, keeps: bool) -> None:
        super().__init__(root, tool)
        self.tool = tool
        self.records = KeptRecords(root)
        self.keeps = keeps
        self._known: dict[tuple[str, str], _Known] = {}

    def get(self, environment: str, key: str) -> Remembered | None:
        """What is remembered of a unit; None when it is nothing."""
        known = self._known.get((environment, key))
        if known is None and self.keeps:
            kept = super().get(environment, key)
            if kept is not None:
                known = self._known[environment, key] = _Known.beside(kept)
        return known

    def last(self, environment: str, app: str) -> None:
        """Nobody asks why a unit of a commit is compiled."""

    def put(self, environment: str, key: str, entry: Remembered) -> None:
        """Remember a unit."""
        self._known[environment, key] = _Known.beside(entry)
        if self.keeps:
            super().put(environment, key, entry)

    def joined(self, environment: str, digest: str) -> None:
        """Whoever compares environments looks at all that their units tell: joining them again is little besides."""

    def put_joined(self, environment: str, digest: str, paths: list[tuple[str, ...]]) -> None:
        """As above."""

    def learn(self, linked: LinkedEnvironment) -> None:
        """Remember what the units of an environment tell each other, of all in which nothing is refused."""
        for number, (unit, exports) in enumerate(zip(linked.plan.units, linked.exports, strict=True)):
            is_fine = unit.may_be_remembered and number not in linked.refused
            if is_fine and (linked.environment, unit.key) not in self._known:
                entry = Remembered.of(unit.app, told_of(exports), linked.plan.inputs_of(unit), {})
                self.put(linked.environment, unit.key, entry)
                self._known[linked.environment, unit.key].held = exports

    def forget(self) -> None:
        """Drop the older half of what is known when it has become much."""
        if len(self._known) > _MOST_UNITS:
            for key in list(self._known)[: _MOST_UNITS // 2]:
                del self._known[key]


def reason(error: EnvcError) -> str:
    """Why something does not compile, in a line."""
    problem = error.problems[0]
    return readable(problem.what + (f" ({problem.where[0]})" if problem.where else ""))
