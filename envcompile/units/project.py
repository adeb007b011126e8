"""A repository and what can be compiled from it: the Python interface that the command line uses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from envcompile.errors import Problems
from envcompile.limits import DEFAULT_LIMITS, limits_of, too_much
from envcompile.log import decision
from envcompile.model import Compiled, Composition
from envcompile.record import Record
from envcompile.sources.scans import combined_digest
from envcompile.units.apis import Apis
from envcompile.units.compile import compose_of
from envcompile.units.cut import Cutter
from envcompile.units.environment import LinkedEnvironment, Units
from envcompile.units.link import report
from envcompile.units.plan import plan
from envcompile.units.seal import external_store
from envcompile.units.unit import CompiledUnit, Exported, UnitExports
from envcompile.units.why import API, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from envcompile import settings as models
    from envcompile.git.trees import StoredTree
    from envcompile.kubernetes import KubeApi
    from envcompile.limits import Limits
    from envcompile.model import Resource
    from envcompile.secrets.store import Store
    from envcompile.sources import EnvironmentSources, ParsedFiles, ProjectSources, Tree
    from envcompile.units.environment import Reason
    from envcompile.units.kept_plans import KeptPlans, KeptRecords
    from envcompile.units.memo import FolderMemo
    from envcompile.units.plan import EnvironmentPlan
    from envcompile.units.shared_memo import SharedMemo
    from envcompile.units.snapshot import Look


class EnvironmentContext(Record, frozen=True):
    """What one compiled environment was made from, and what the user should hear although it is no error."""

    sources: EnvironmentSources
    api: KubeApi
    warnings: tuple[str, ...]


class ComposedEnvironment(Record, frozen=True):
    """One environment after merging, with what it was made from; its Secrets may still hold plaintext."""

    sources: EnvironmentSources
    composition: Composition
    api: KubeApi

    @property
    def resources(self) -> tuple[Resource, ...]:
        """The merged resources."""
        return self.composition.resources


class CompiledEnvironment(Record, frozen=True):
    """One compiled environment with what it was made from."""

    compiled: Compiled
    composed: EnvironmentContext


class Project:  # ruff: ignore[too-many-public-methods] - every question that is asked of a project, of whichever tree
    """A repository with `base/` and `overlays/`; `Project.open(path)` finds it from any folder inside."""

    def __init__(
        self,
        tree: Tree,
        parsed: ParsedFiles | None = None,
        memo: FolderMemo | SharedMemo | None = None,
        look: Look | None = None,
        kept: KeptPlans | None = None,
        records: KeptRecords | None = None,
        beside: Project | None = None,
    ) -> None:
        from envcompile.sources import new_parsed_files

        self.tree = tree
        self.look = look
        self._parsed: ParsedFiles = parsed if parsed is not None else new_parsed_files()
        self.kept: KeptPlans | None = kept
        """The plans that the last build kept, where they hold for what is there now."""
        self.records: KeptRecords | None = records  # where plans are kept
        self._sources: ProjectSources | None = None
        self.memo: FolderMemo | SharedMemo | None = memo
        self._beside = beside
        """Another state of the same project, most of whose units are the same."""
        self._documents = 0
        if kept is not None:
            tree.bound(limits_of(kept.settings.limits, tree.limits))
        elif not self.sources.has_text_names:
            self.memo = None  # what is remembered is text, which the name of a file need not be
        self._cutters: dict[str, Cutter] = {}
        self._apis = Apis(self.settings, lambda: self.sources, self._parsed)
        self._plans: dict[str, EnvironmentPlan] = {}
        self._units: dict[str, Units] = {}
        self._linked: dict[str, LinkedEnvironment] = {}
        self._is_ignored: Callable[[str], bool] | None = None

    @classmethod
    def open(
        cls, path: str | os.PathLike[str] = ".", look: Look | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> Project:
        """The project that a folder belongs to.

        Args:
            path: the folder.
            look: what was found out about it already.
            limits: what it may take of the machine; one that is not trusted is asked for nothing below `.envc`.

        Raises:
            UsageError: neither the folder nor one above it holds `base/` and `overlays/` or an `envc.yaml`.
        """
        from envcompile.sources import find_root

        start = Path(os.path.abspath(path))  # ruff: ignore[os-path-abspath] - a symlinked folder belongs to the project it is seen in
        return cls.of_folder(Path(os.path.realpath(find_root(start))), look, limits)

    @classmethod
    def of_folder(cls, root: Path, look: Look | None = None, limits: Limits = DEFAULT_LIMITS) -> Project:
        """The project whose top folder this is, without symlinks on the way; it may hold nothing any more."""
        from envcompile.git.blob import id_digits
        from envcompile.git.discovery import has_sparse_patterns
        from envcompile.sources import ParsedFiles, WorkingTree
        from envcompile.units.kept_plans import KeptPlans, KeptRecords
        from envcompile.units.memo import FolderMemo
        from envcompile.units.snapshot import Look

        look = look or Look(str(root), f"{root}/environments", is_trusted=limits.is_trusted)
        tree: Tree = WorkingTree(root, limits, seen=look.inputs if look.is_plain else None)
        if has_sparse_patterns(root):
            from envcompile.git.sparse import completed

            tree = completed(tree)
        memo = FolderMemo(root, look.tool, is_kept=limits.is_trusted)
        parsed = ParsedFiles(look.known_digest, memo.scans(), id_digits(root), seal=look.tool)
        records = KeptRecords(root)
        kept = KeptPlans.open(records, look, tree, parsed) if isinstance(tree, WorkingTree) else None
        if kept is not None:
            decision("units", "the plans of the last build hold: %s files were edited since", len(look.changed or ()))
        return cls(tree, parsed, memo, look, kept, records)

    @classmethod
    def of_index(cls, path: str | os.PathLike[str] = ".", limits: Limits = DEFAULT_LIMITS) -> Project:
        """The project that a folder belongs to, as the next commit will hold it; in a hook, the commit being made.

        Args:
            path: the folder.
            limits: what it may take of the machine, as for `open`.

        Raises:
            UsageError: the folder is in no git repository, or its index holds no project there.
        """
        from envcompile.units.stored import index_tree

        tree, folder = index_tree(path)
        tree.limits = limits
        return cls.of_tree(tree, folder, limits)

    @classmethod
    def of_commit(cls, path: str | os.PathLike[str], revision: str, limits: Limits = DEFAULT_LIMITS) -> Project:
        """The project that a folder belongs to, as a commit holds it.

        Args:
            path: the folder, or a bare repository.
            revision: whatever git takes for a commit.
            limits: what it may take of the machine, as for `open`.

        Raises:
            UsageError: the folder is in no git repository, or there is no such commit, or no project in it.
        """
        from envcompile.units.stored import commit_tree

        tree, folder = commit_tree(path, revision)
        tree.limits = limits
        return cls.of_tree(tree, folder, limits)

    @classmethod
    def of_tree(cls, tree: StoredTree, folder: Path, limits: Limits, beside: Project | None = None) -> Project:
        """The project in a tree that git holds; close the tree after use.

        Args:
            tree: its files.
            folder: the folder that the project has in the work tree.
            limits: whether what lies below `.envc` may be used; the tree has its own for the rest.
            beside: another state of the same project, which has compiled much of it.
        """
        from envcompile.units.stored import known_of

        known = known_of(tree, folder, limits, beside)
        return cls(tree, known.parsed, known.memo, kept=known.kept, records=known.records)

    def at(self, revision: str) -> Project:
        """The project as a commit holds it, with what is remembered of this one; close its tree after use.

        Args:
            revision: whatever git takes for a commit.

        Raises:
            UsageError: there is no such commit, or the folder is in no git repository.
        """
        from envcompile.git.repository import open_repository

        tree = open_repository(self.root).commit_tree(revision)
        tree.limits = self.tree.limits
        return self.of_tree(tree, self.root, self.tree.limits, self)

    def with_edits(self, edits: Mapping[str, bytes | None]) -> Project:
        """The project with some files changed, added or taken away; what is remembered of this one holds there, too.

        Args:
            edits: path -> the bytes that the file has, None for one that goes.

        Raises:
            EnvcError: what is wrong with the settings then.
        """
        from envcompile.sources.overlaid import OverlaidTree

        tree, parsed = OverlaidTree(self.tree, edits), self._parsed.beside(edits.keys())
        kept = self.kept.with_edits(edits, tree, parsed) if self.kept is not None else None
        return Project(tree, parsed, self.memo, kept=kept, records=self.records, beside=self)

    @property
    def root(self) -> Path:
        """The top folder of the repository."""
        root = self.tree.root
        if root is None:
            raise ValueError("this project is a commit, not a folder")
        return root

    @property
    def settings(self) -> models.Project:
        """What `envc.yaml` says."""
        return self.kept.settings if self.kept is not None else self.sources.settings

    @property
    def environments(self) -> tuple[str, ...]:
        """The environments in their promotion order."""
        return self.kept.environments if self.kept is not None else self.sources.environments

    @property
    def sources(self) -> ProjectSources:
        """The project's settings, and the files of each of its layers."""
        if self._sources is None:
            from envcompile.sources import read_project

            self._sources = read_project(self.tree)
        return self._sources

    @property
    def parsed(self) -> ParsedFiles:
        """What was read so far."""
        return self._parsed

    def choose(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """The environments that the user names; all of them when none is named.

        Raises:
            UsageError: one of the names is no environment.
        """
        from envcompile.sources.project import select_environments

        return select_environments(tuple(wanted), self.environments)

    def compile(self, environment: str) -> Compiled:
        """Compile one environment.

        Raises:
            EnvcError: everything that is wrong with its sources.
        """
        return self.compile_with_sources(environment).compiled

    def compile_with_sources(self, environment: str) -> CompiledEnvironment:
        """Compile one environment and keep what it was made from.

        Raises:
            EnvcError: everything that is wrong with its sources.
        """
        linked = self.link(environment)
        settings = linked.plan.sources.settings
        whole = Compiled(
            environment,
            linked.namespace,
            tuple(linked.resources()),
            plaintext_allowed=settings.secret_backend == "plaintext",
        )
        context = EnvironmentContext(linked.plan.sources, linked.plan.api, linked.linked.warnings)
        return CompiledEnvironment(whole, context)

    def link(self, environment: str) -> LinkedEnvironment:
        """Compile and join the units of one environment; those that are remembered are not compiled.

        Raises:
            EnvcError: everything that is wrong with its sources.
        """
        known = self._linked.get(environment)
        if known is None:
            like = self._beside._linked.get(environment) if self._beside is not None else None  # ruff: ignore[private-member-access] - its own
            known = self._linked[environment] = LinkedEnvironment(self.units_of(environment), like)
        return known

    def units_of(self, environment: str) -> Units:
        """The units of one environment before they are joined.

        Raises:
            EnvcError: what is wrong with its settings, or with files that cannot be taken apart.
        """
        known = self._units.get(environment)
        if known is None:
            known = self._units[environment] = Units(self.plan(environment), self.memo)
        return known

    def compose(self, environment: str) -> ComposedEnvironment:
        """Merge one environment's layers; secrets stay as they are written.

        Raises:
            EnvcError: everything that is wrong with its sources.
        """
        planned = self.plan(environment)
        problems = Problems()
        units = []
        resources: list[tuple[tuple[int, str, int, int], Resource]] = []
        for unit in planned.units:
            own = Problems()
            composed = compose_of(planned.input_of(unit), planned.api, own)
            exported = [Exported(one.id, one.app, composed.origins[one.id]) for one in composed.resources]
            exports = UnitExports(tuple(exported), composed.excluded, composed.used, composed.patches)
            units.append(
                CompiledUnit((), exports, own.found, composed.about_settings, composed.strays, composed.unknown_kinds)
            )
            resources += [(composed.origins[one.id], one) for one in composed.resources]
        report(planned, [unit.exports for unit in units], units, problems)
        problems.raise_any()
        resources.sort(key=lambda item: (item[0], item[1].id))
        namespace = planned.sources.settings.namespace or ""
        composition = Composition(environment, namespace, tuple([resource for _, resource in resources]))
        return ComposedEnvironment(planned.sources, composition, planned.api)

    def plan(self, environment: str) -> EnvironmentPlan:
        """Cut an environment into its units.

        Raises:
            EnvcError: what is wrong with its settings, or with files that cannot be taken apart.
        """
        known = self._plans.get(environment)
        if known is None:
            known = self._plans[environment] = self._kept_plan(environment) or self._plan(environment)
        return known

    def release_scans(self) -> None:
        """Pack what files speak of once all environments that are compiled are planned: it is not asked for again."""
        self._cutters.clear()
        for planned in self._plans.values():
            planned.sources.release_scans()
        self._parsed.pack_scans()

    def sources_of(self, environment: str) -> EnvironmentSources:
        """What one environment is made from; no resource file is read yet.

        Raises:
            EnvcError: what is wrong with its settings.
        """
        from envcompile.sources import read_environment

        return read_environment(self.sources, environment, self._parsed)

    def reasons(self) -> list[Reason]:
        """For each unit of the environments that were linked whether it was compiled, and why."""
        return [reason for linked in self._linked.values() for reason in linked.reasons]

    def save_memo(self) -> None:
        """Keep what was learnt of files and units; a folder that cannot be written is no error."""
        if self.memo is not None:
            self.memo.save_scans(self._parsed.new_scans, self.private_files())
            self.memo.save()

    def save_units(self, environment: str) -> None:
        """Keep what was learnt of an environment's units, and give it up in memory."""
        if self.memo is not None:
            self.memo.close(environment)

    def further_inputs(self) -> set[str]:
        """Everything outside of the layers' files that has a say in what is compiled, or would if it were there."""
        found = set().union(*self._parsed.imports().values())
        for file in self.crd_files():
            found.add(file)
            folder = file.rpartition("/")[0]
            while folder:
                found.add(folder)  # a new file changes it
                folder = folder.rpartition("/")[0]
        if self.tree.root is not None:
            from envcompile.sources.tree import folders_in

            for path in self.settings.crds:
                found.update(folders_in(self.root, path))
        return found

    @property
    def asks_git(self) -> bool:
        """Whether what is compiled hangs on what git ignores or holds, of which the stats of sources tell nothing."""
        from envcompile.sources import WorkingTree

        return self._is_ignored is not None or not isinstance(self.tree, WorkingTree)

    def private_files(self) -> frozenset[str]:
        """The sources that git ignores in which a Secret may stand in clear: of those not even a digest is kept."""
        return frozenset().union(*(plan.private for plan in self._plans.values()))

    def crd_files(self) -> frozenset[str]:
        """The files that `crds:` of envc.yaml names."""
        found: set[str] = set()
        for path in self.settings.crds:
            found.update([entry.path for entry in self.tree.files(path)] or [path])
        return frozenset(found)

    def _kept_plan(self, environment: str) -> EnvironmentPlan | None:
        """The plan that earlier builds kept, where it holds; what a team shares is learnt from files."""
        from envcompile.units.memo import FolderMemo

        if self.kept is None or environment not in self.kept.environments or not isinstance(self.memo, FolderMemo):
            return None
        found = self.kept.plan(
            environment,
            self.tree,
            self._parsed,
            lambda: self.sources,
            lambda facts: self._apis.of(facts, lambda: self.sources_of(environment)),
            lambda settings: self._store(environment, settings),
        )
        if found is not None:
            self._count(found.documents)
        return found

    def _count(self, documents: int) -> None:
        """Count what an environment is made from.

        Raises:
            EnvcError: the environments together are made from more than the limits allow.
        """
        self._documents += documents
        if self._documents > self.tree.limits.documents:
            raise too_much("documents", self.tree.limits, "the environments are made from more than", "")

    def _plan(self, environment: str) -> EnvironmentPlan:
        import msgspec

        sources = self.sources_of(environment)
        own = sources.settings
        self._count(sum(len(file.heads) + len(file.targets) for layer in sources.scans for file in layer.files))
        facts = self._apis.facts_of(sources)
        api = self._apis.of(facts, lambda: sources)
        mode = own.config_merge or self.settings.config_merge
        given = {
            "environment": environment,
            SETTINGS: combined_digest([mode, msgspec.json.encode(own, order="sorted").decode()]),
            API: facts.digest,
        }
        cutter = self._cutters.get(facts.digest) or self._cutters.setdefault(facts.digest, Cutter(api))
        return plan(
            sources,
            api,
            facts,
            cutter,
            given=given,
            merge_texts=mode == "merge",
            store=self._store(environment, sources.settings),
            external=external_store(sources, api),
            is_ignored=self.ignores,
            layout=self.settings.layout,
        )

    def _store(self, environment: str, own: models.Environment) -> Store | None:
        """The sealed values of an environment; None where there are none, or nobody looks at them."""
        if own.secret_backend == "plaintext":
            return None
        files = self.sources.sealed_files(environment)
        if not files:
            return None
        from envcompile.secrets import store_of

        return store_of(environment, files)

    def ignores(self, path: str) -> bool:
        """Tell whether git ignores a source file; in a commit nothing is ignored. Asks git only when it is asked."""
        root = self.tree.root
        if root is None:
            return False
        if self._is_ignored is None:
            from envcompile.git.ignore import IgnoreRules

            self._is_ignored = IgnoreRules(root)
        return self._is_ignored(path)
