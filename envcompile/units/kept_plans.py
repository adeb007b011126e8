"""Plans of environments as the last build of all of them made them, by the digest of everything that it read.

What a plan is made from is what the snapshot knows to be unchanged. A file that was edited since, and still speaks of
the same, leaves every plan as it is but for its digest: `edited` puts that in. In all other cases there is no kept
plan, and environments are planned from their files.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from envcompile import settings  # ruff: ignore[typing-only-first-party-import] - as below
from envcompile.errors import EnvcError
from envcompile.sources.environments import EnvironmentSources, layer_of
from envcompile.sources.project import ENVIRONMENT_FILE, OVERLAYS, PROJECT_FILE
from envcompile.sources.scans import combined_digest
from envcompile.units.cut import Part  # ruff: ignore[typing-only-first-party-import] - records are read by their types
from envcompile.units.kept_inputs import KeptInputs, inputs_now
from envcompile.units.memo import FOLDER, read_checked, write_checked
from envcompile.units.plan import EnvironmentPlan, empty_store
from envcompile.units.planned import PlannedUnit, PlannedUnits
from envcompile.units.recut import without
from envcompile.units.snapshot import INPUT_FOLDERS
from envcompile.units.unit import ApiFacts, SecretInput

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from envcompile.git.trees import CommitTree
    from envcompile.kubernetes import KubeApi
    from envcompile.secrets.store import Store
    from envcompile.seenfiles import Files
    from envcompile.sources import ParsedFiles, ProjectSources, Tree
    from envcompile.units.project import Project
    from envcompile.units.snapshot import Look

BUILT, RECORDED = "built", "recorded"
"""Plans that builds of the folder kept, and those that the recorder kept of commits."""
_MOST_EDITS = 200
"""Where more files differ, environments are planned from their files."""


class _Unit(msgspec.Struct, array_like=True):
    parts: tuple[Part, ...]
    has_secrets: bool
    sealed: str


class _Plan(msgspec.Struct, array_like=True):
    world: str
    settings: settings.Environment
    layers: tuple[str, ...]
    version: str
    crds: list[Any]
    facts: str
    merge_texts: bool
    given: dict[str, str]
    apps: list[str]
    keys: list[str]
    told: list[str]
    units: list[bytes]
    """Each a `_Unit`: seldom more than a few are looked at."""
    patches: tuple[tuple[int, str, int, tuple[str | int, ...]], ...]
    patched: tuple[tuple[int, str, str], ...]
    documents: int
    has_store: bool


class _Project(msgspec.Struct, array_like=True):
    world: str
    settings: settings.Project
    environments: tuple[str, ...]
    layers: dict[str, tuple[str, ...]]
    fixed: tuple[str, ...]
    """The files that are looked at otherwise than as resources of their layer, too."""


class KeptRecords:
    """What is kept of plans below a project's folder, each record read once.

    Args:
        root: the project's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[tuple[str, str], Any] = {}

    def load(self, series: str, name: str, kind: type[Any]) -> Any:
        """A record; None for one that is not there, or is damaged."""
        if (series, name) not in self._known:
            data = read_checked(self._root / FOLDER / f"{series}-{name}")
            try:
                found = msgspec.msgpack.decode(data, type=kind) if data is not None else None
            except msgspec.MsgspecError:
                found = None
            self._known[series, name] = found
        return self._known[series, name]

    def keep(self, series: str, name: str, data: bytes) -> None:
        """Keep a record; a folder that cannot be written is no error."""
        self._known.pop((series, name), None)
        write_checked(self._root / FOLDER / f"{series}-{name}", data)


class KeptPlans:
    """What is kept of a project's plans.

    Args:
        records: what is kept below the project's folder.
        world: names what they were made from.
        found: what is kept of the project.
        edits: layer and path of each file that was edited since -> its digest now.
        digest_of: of a file as they were made from it; empty where that is not known.
        series: whether builds kept them, or the recorder of commits.
        gone: layer and path of each file that is not there any more -> how many documents and patches it had.
    """

    def __init__(
        self,
        records: KeptRecords,
        world: str,
        found: _Project,
        edits: Mapping[tuple[str, str], str],
        digest_of: Callable[[str], str],
        series: str = BUILT,
        gone: Mapping[tuple[str, str], int] | None = None,
    ) -> None:
        self._records = records
        self._series = series
        self._found = found
        self._digest_of = digest_of
        self._gone = gone or {}
        self.world = world
        """Names what they were made from."""
        self._edits = edits
        self.settings = found.settings
        """What `envc.yaml` says."""
        self.layers = found.layers
        """Environment -> the names of its overlays, lowest first."""
        self.environments = found.environments
        """The environments in their promotion order."""
        self.fixed = found.fixed
        """The files that plans hang on besides as resources of a layer."""

    @property
    def is_edited(self) -> bool:
        """Tell whether a file was edited since they were kept."""
        return bool(self._edits)

    @classmethod
    def open(cls, records: KeptRecords, look: Look, tree: Tree, parsed: ParsedFiles) -> KeptPlans | None:
        """The plans that hold for a folder as it is; None when there are none.

        Args:
            records: what is kept below the project's folder.
            look: what it was found to be, beside the last build.
            tree: its files.
            parsed: what was read of them, with what earlier runs know.
        """
        if look.snapshot is None or look.changed is None or not look.is_plain:
            return None
        if any(not look.is_edited(path) for path in look.changed):
            return None
        world = world_of(look.tool, look.snapshot.inputs)
        found = records.load(BUILT, "project", _Project)
        if found is None or found.world != world or look.is_one_ignored():
            return None
        edits = _edits(look.changed, look.digest_before, tree, parsed, frozenset(found.fixed))
        return cls(records, world, found, edits, look.digest_before) if edits is not None else None

    @classmethod
    def at_commit(
        cls, records: KeptRecords, tool: str, tree: CommitTree, parsed: ParsedFiles, series: str = BUILT
    ) -> KeptPlans | None:
        """The plans that hold for a commit, by what git calls the contents of its files; None when there are none.

        Args:
            records: what is kept below the project's folder.
            tool: names this envc.
            tree: the files of the commit.
            parsed: what was read of them, with what earlier runs know.
            series: those that builds kept, or those that the recorder of commits did.
        """
        found, inputs = records.load(series, "project", _Project), records.load(series, "inputs", KeptInputs)
        if found is None or inputs is None or inputs.world != found.world or inputs.tool != tool or not inputs.folders:
            return None
        changed = tree.changed_since((*INPUT_FOLDERS, PROJECT_FILE), inputs.names)
        if changed is None or len(changed) > _MOST_EDITS:
            return None
        edits = _edits(changed, inputs.digest_of, tree, parsed, frozenset(found.fixed))
        return cls(records, found.world, found, edits, inputs.digest_of, series) if edits is not None else None

    def is_resource_file(self, path: str, parsed: ParsedFiles) -> bool:
        """Tell whether plans hang on a file by what it says alone, and it says the same to every environment.

        Args:
            path: the file.
            parsed: what is known of files.
        """
        scan = parsed.scans.get((layer_of(path), path))
        return path not in self.fixed and scan is not None and not scan.crds

    def is_settings_file(self, path: str) -> bool:
        """Tell whether a file is the settings of a layer, and nothing else: others do not read it."""
        return path not in self.fixed and path in {
            f"{OVERLAYS}/{layer}/{ENVIRONMENT_FILE}" for layers in self.layers.values() for layer in layers
        }

    def has_settings_of(self, environment: str, paths: Collection[str]) -> bool:
        """Tell whether one of some files is the settings of a layer of an environment."""
        return any(f"{OVERLAYS}/{layer}/{ENVIRONMENT_FILE}" in paths for layer in self.layers[environment])

    def with_edits(
        self, edits: Mapping[str, bytes | None], tree: Tree, parsed: ParsedFiles, before: ParsedFiles | None = None
    ) -> KeptPlans | None:
        """The plans that hold when some files are other ones; None where that is more than an edit or a loss.

        Args:
            edits: path -> the bytes that the file has, None for one that goes.
            tree: the files then.
            parsed: what is read of them.
            before: knows what the files spoke of, where `parsed` does not.
        """
        held = [path for path, data in edits.items() if data is not None]
        found = _edits(held, self._digest_of, tree, parsed, frozenset(self.fixed), before)
        if found is None:
            return None
        gone = {place: count for place, count in self._gone.items() if place[1] not in edits}
        for path in edits.keys() - {*held}:
            layer = layer_of(path)
            scan = parsed.scans.get((layer, path))
            if not self.is_resource_file(path, parsed) or scan is None or scan.digest != self._digest_of(path):
                return None
            if layer.startswith(f"{OVERLAYS}/") and not tree.is_file(f"{layer}/{ENVIRONMENT_FILE}"):
                return None  # a layer of nothing else is gone with its last file
            gone[layer, path] = len(scan.heads) + len(scan.targets)
        others = {place: digest for place, digest in self._edits.items() if place[1] not in edits}
        return KeptPlans(
            self._records, self.world, self._found, {**others, **found}, self._digest_of, self._series, gone
        )

    def plan(
        self,
        environment: str,
        tree: Tree,
        parsed: ParsedFiles,
        sources: Callable[[], ProjectSources],
        api_for: Callable[[ApiFacts], KubeApi],
        store_for: Callable[[settings.Environment], Store | None],
    ) -> EnvironmentPlan | None:
        """The plan of one environment; None when none is kept.

        Args:
            environment: its name.
            tree: the project's files.
            parsed: what was read of them.
            sources: reads the project, when somebody asks for more than a plan tells.
            api_for: what facts say of Kubernetes.
            store_for: the sealed values of the environment with these settings.
        """
        kept = self._records.load(self._series, f"of-{environment}", _Plan)
        if kept is None or kept.world != self.world:
            return None

        def lay() -> Any:
            from envcompile.sources import read_environment

            return read_environment(sources(), environment, parsed).laid

        own = EnvironmentSources(environment, kept.settings, tree, parsed, lay, kept.layers)
        facts = ApiFacts(kept.version, tuple(kept.crds), self.settings.merge_keys, kept.facts)
        store = store_for(kept.settings) if kept.has_store else None
        numbers = {layer: number for number, layer in enumerate(kept.layers)}
        edits = {(numbers[layer], path): new for (layer, path), new in self._edits.items() if layer in numbers}
        found = EnvironmentPlan(
            own,
            api_for(facts),
            facts,
            kept.merge_texts,
            _units(kept, store, environment),
            store,
            kept.patches,
            kept.given,
            frozenset(),
            kept.patched,
            self.settings.layout,
            kept.documents,
        ).edited(edits)
        lost = {place[1]: count for place, count in self._gone.items() if place[0] in numbers}
        return without(found, lost) if lost else found


def fixed_files(project: Project) -> set[str]:
    """The files that a build reads beside the sources of resources: imports, definitions, what a Generate is made of.

    Plans hang on each of them as it is, and git must ignore none.
    """
    kept = project.kept.fixed if project.kept is not None else ()
    return {*kept, *project.crd_files()}.union(*project.parsed.imports().values())


def keep_plans(project: Project, inputs: Files) -> None:
    """Keep the plans of a build of all environments; a folder that cannot be written is no error.

    Args:
        project: what was built.
        inputs: everything that was read for it.
    """
    look, kept, records = project.look, project.kept, project.records
    if look is None or records is None or project.memo is None or project.asks_git or project.private_files():
        return
    world = world_of(look.tool, inputs)
    if kept is None or world != kept.world:
        linked = [project.link(environment) for environment in project.environments]
        older = records.load(BUILT, "inputs", KeptInputs) if kept is not None else None
        _keep(
            records,
            BUILT,
            project,
            [(one.plan, one.told) for one in linked],
            inputs_now(project, look, inputs, world, older),
        )


def keep_plans_at(
    records: KeptRecords, tool: str, project: Project, tree: CommitTree, plans: Sequence[EnvironmentPlan]
) -> None:
    """Keep the plans of all environments of a commit that was recorded.

    Args:
        records: what is kept below the project's folder.
        tool: names this envc.
        project: the commit.
        tree: its files.
        plans: of all environments.
    """
    files = tree.plain_files((*INPUT_FOLDERS, PROJECT_FILE)) if project.kept is None or project.kept.is_edited else None
    if files and not project.settings.crds:
        world = combined_digest([tool, *(f"{path} {digest}" for path, digest in sorted(files.items()))])
        _keep(records, RECORDED, project, [(plan, ()) for plan in plans], KeptInputs.of(world, tool, files))


def _keep(
    records: KeptRecords,
    series: str,
    project: Project,
    plans: Sequence[tuple[EnvironmentPlan, Sequence[str]]],
    inputs: KeptInputs,
) -> None:
    """Keep plans with what their units tell, unless a store of secrets is looked up in the files."""
    if any(plan.sources.settings.secret_backend == "external" for plan, _ in plans):
        return
    kept = project.kept
    layers = dict(kept.layers if kept is not None else project.sources.layers)
    world = inputs.world
    about = _Project(world, project.settings, project.environments, layers, tuple(sorted(fixed_files(project))))
    try:
        # One after the other, as they are large; who finds some of this world and some of another takes none.
        for plan, told in plans:
            records.keep(series, f"of-{plan.environment}", msgspec.msgpack.encode(_plan_of(world, plan, told)))
        records.keep(series, "inputs", msgspec.msgpack.encode(inputs))
        records.keep(series, "project", msgspec.msgpack.encode(about))
    except (OverflowError, UnicodeEncodeError):
        return  # a number or a text that msgpack has no form for


def _packed_units(units: PlannedUnits) -> list[bytes]:
    """The units of a plan; those of a kept one that nobody read are as they were kept."""
    found = list(units.packed) if units.packed else [b""] * len(units)
    for number, one in units.made.items() if units.packed else enumerate(units):
        found[number] = msgspec.msgpack.encode(_Unit(one.parts, one.secrets is not None, one.sealed))
    return found


def _plan_of(world: str, plan: EnvironmentPlan, told: Sequence[str]) -> _Plan:
    return _Plan(
        world,
        plan.sources.settings,
        plan.sources.layer_names,
        plan.facts.version,
        list(plan.facts.crds),
        plan.facts.digest,
        plan.merge_texts,
        dict(plan.given),
        list(plan.units.apps),
        list(plan.units.keys),
        list(told or plan.units.told),
        _packed_units(plan.units),
        plan.patches,
        plan.patched,
        plan.documents,
        plan.store is not None,
    )


def world_of(tool: str, inputs: Files) -> str:
    """The digest of everything that a build read, and of the envc that read it.

    Args:
        tool: names this envc.
        inputs: what was read.
    """
    return sha256(b"\n\n".join((tool.encode(), inputs.names, inputs.stats, inputs.digests))).hexdigest()


def _edits(
    changed: Iterable[str],
    digest_of: Callable[[str], str],
    tree: Tree,
    parsed: ParsedFiles,
    fixed: frozenset[str],
    known: ParsedFiles | None = None,
) -> dict[tuple[str, str], str] | None:
    """Layer and path of each edited file -> its digest; None when what changed is more than that.

    Args:
        changed: the files that differ.
        digest_of: of a file as plans were made from it; empty where that is not known.
        tree: the files now.
        parsed: what was read of them.
        fixed: the files that plans hang on otherwise, too.
        known: knows what files spoke of before; `parsed` itself when left out.
    """
    scans = (known or parsed).scans
    found: dict[tuple[str, str], str] = {}
    for path in changed:
        layer = layer_of(path)
        before = scans.get((layer, path))
        if path in fixed or not layer or before is None or before.crds or before.digest != digest_of(path):
            return None
        try:
            after = parsed.rescan(tree, layer, path)
        except EnvcError:
            return None  # told about when all files are read
        if after is None or after._replace(digest=before.digest) != before:
            return None
        found[layer, path] = after.digest
    return found


def _units(kept: _Plan, store: Store | None, environment: str) -> PlannedUnits:
    """The units of a plan that was kept; each is read when somebody asks for it."""

    def read(number: int) -> PlannedUnit:
        one = msgspec.msgpack.decode(kept.units[number], type=_Unit)
        secrets = SecretInput(store or empty_store(environment), frozenset()) if one.has_secrets else None
        app, key = kept.apps[number], kept.keys[number]
        return PlannedUnit(app, one.parts, secrets, one.sealed, may_be_remembered=True, key=key)

    def holding(path: str) -> list[int]:
        text = path.encode()
        return [number for number, packed in enumerate(kept.units) if text in packed]

    return PlannedUnits(kept.apps, kept.keys, kept.told, read, holding, {}, kept.units)
