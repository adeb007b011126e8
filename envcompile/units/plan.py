"""From what the files of an environment speak of to its units: which documents have to be compiled together."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from envcompile.compose.identity import Identifier
from envcompile.compose.targets import may_reach
from envcompile.model import Layer
from envcompile.sources.scans import combined_digest
from envcompile.sources.yamlfiles import app_of
from envcompile.units.unit import SecretInput, UnitInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from envcompile.kubernetes import KubeApi
    from envcompile.model import ResourceId
    from envcompile.secrets.externalstore import StoreFacts
    from envcompile.secrets.store import Store
    from envcompile.sources import EnvironmentSources
    from envcompile.sources.environments import LayerScan
    from envcompile.sources.scans import FileScan, TargetGlobs
    from envcompile.units.unit import ApiFacts

    Ignored = Callable[[str], bool]

_BASE = "base"


class Part(NamedTuple):
    """What one file gives to a unit: the numbers of its documents and of its patches."""

    layer: int
    path: str
    digest: str
    documents: tuple[int, ...]
    patches: tuple[int, ...]


class PlannedUnit(NamedTuple):
    """A unit before its files are read."""

    app: str
    parts: tuple[Part, ...]
    """Sorted as their layers lay them."""
    secrets: SecretInput | None
    sealed: str
    """The digest of what `secrets` says to it."""
    may_be_remembered: bool
    """Whether nothing goes into it that git ignores: of such files not even a digest is kept."""
    key: str


class EnvironmentPlan(NamedTuple):
    """One environment as units, and what only the link step looks at."""

    sources: EnvironmentSources
    api: KubeApi
    facts: ApiFacts
    merge_texts: bool
    units: tuple[PlannedUnit, ...]
    store: Store | None
    """The sealed values; None where there are none."""
    patches: tuple[tuple[int, str, int], ...]
    """Every `kind: Patch`: layer, file, number."""
    given: Mapping[str, str]
    """What all units are given, by name: digests."""

    @property
    def environment(self) -> str:
        """The environment's name."""
        return self.sources.environment

    def inputs_of(self, unit: PlannedUnit) -> dict[str, str]:
        """Everything that a unit is compiled from: name -> digest, for who wants to know what changed."""
        found = {part.path: part.digest for part in unit.parts}
        if unit.sealed:
            found["sealed values"] = unit.sealed
        return {**self.given, **found}

    def input_of(self, unit: PlannedUnit) -> UnitInput:
        """The whole input of a unit: its files are read now.

        Raises:
            EnvcError: a file cannot be read.
        """
        sources = self.sources
        scans = sources.scans
        layers: list[Layer] = []
        for number, scan in enumerate(scans):
            parts = [part for part in unit.parts if part.layer == number]
            if not parts:
                layers.append(Layer(scan.name, (), (), {}))
                continue
            said = [(part, sources.documents(scan.name, part.path)) for part in parts]
            layers.append(
                Layer(
                    scan.name,
                    tuple([found.documents[at] for part, found in said for at in part.documents]),
                    tuple([found.patches[at] for part, found in said for at in part.patches]),
                    {part.path: app_of(part.path, scan.name) for part in parts},
                )
            )
        return UnitInput(
            self.environment,
            unit.app,
            sources.settings,
            self.facts,
            self.merge_texts,
            tuple(layers),
            unit.secrets,
            unit.key,
        )


def plan(
    sources: EnvironmentSources,
    api: KubeApi,
    facts: ApiFacts,
    *,
    given: Mapping[str, str],
    merge_texts: bool,
    store: Store | None,
    external: StoreFacts | None,
    is_ignored: Ignored,
) -> EnvironmentPlan:
    """Cut an environment into units.

    A resource belongs to the application whose file speaks of it first; every document of its identity, in whatever
    folder, goes with it. So does each `kind: Patch` that can name it.

    Args:
        sources: the environment's settings and what its files speak of.
        api: what decides which kinds live in namespaces.
        facts: what the api was made from.
        given: the digests of what all units of the environment are given, by name.
        merge_texts: configuration files inside ConfigMaps merge key by key.
        store: the environment's sealed values.
        external: what it says of the store of an operator.
        is_ignored: tells whether git ignores a file; asked only about files with Secrets in clear.

    Raises:
        EnvcError: everything that is wrong with the files.
    """
    scans = sources.scans
    settings = sources.settings
    identifier = Identifier(api, settings.namespace, forced=settings.force_namespace)
    cut = _Cut(identifier)
    patches: list[tuple[int, str, int]] = []
    for number, scan in enumerate(scans):
        cut.lay(number, scan)
        for file in scan.files:
            for at, target in enumerate(file.targets):
                patches.append((number, file.path, at))
                cut.reach(number, file, at, target)
    secret_key = _StoreKey(store)
    common = combined_digest([f"{name} {digest}" for name, digest in given.items()])
    units = []
    for app, parts in cut.parts():
        secret_ids = cut.secrets.get(app, ()) if settings.secret_backend != "plaintext" else ()
        secrets = None
        if secret_ids:
            literals = cut.literals.get(app, ())
            secrets = _secrets(store or _empty(sources), external, parts, literals, is_ignored)
        described = [f"{part.layer} {part.path} {part.digest} {part.documents} {part.patches}" for part in parts]
        sealed = ""
        if secrets is not None:
            sealed = combined_digest([secret_key.of(secret_ids), repr(external), *sorted(secrets.ignored)])
        may_be_remembered = secrets is None or not secrets.ignored
        key = combined_digest([common, app, sealed, *described])
        units.append(PlannedUnit(app, parts, secrets, sealed, may_be_remembered, key))
    return EnvironmentPlan(sources, api, facts, merge_texts, tuple(units), store, tuple(patches), given)


class _Cut:
    """Gives every document to the unit of the resource that it speaks of."""

    def __init__(self, identifier: Identifier) -> None:
        self._identifier = identifier
        self._owners: dict[ResourceId, str] = {}
        self._parts: dict[str, dict[tuple[int, str], tuple[FileScan, list[int], list[int]]]] = {}
        self.secrets: dict[str, list[ResourceId]] = {}
        self.literals: dict[str, list[str]] = {}

    def lay(self, number: int, layer: LayerScan) -> None:
        """Give the documents of a layer to their units."""
        named = self._identifier.named
        for file in layer.files:
            own = app_of(file.path, layer.name)
            for at, head in enumerate(file.heads):
                identity = named(head.api_version, head.kind, head.namespace, head.name)
                app = self._owners.setdefault(identity, own)
                self._part(app, number, file)[1].append(at)
                if head.kind == "Secret" and not identity.group:
                    self.secrets.setdefault(app, []).append(identity)
                    if head.holds_literals:
                        self.literals.setdefault(app, []).append(file.path)

    def reach(self, number: int, file: FileScan, at: int, target: TargetGlobs) -> None:
        """Give a patch to every unit of which it can name a resource."""
        reached: set[str] = set()
        for identity, app in self._owners.items():
            if app not in reached and may_reach(target, identity):
                reached.add(app)
                self._part(app, number, file)[2].append(at)
                if identity.kind == "Secret" and not identity.group:
                    self.literals.setdefault(app, []).append(file.path)

    def _part(self, app: str, number: int, file: FileScan) -> tuple[FileScan, list[int], list[int]]:
        parts = self._parts.setdefault(app, {})
        found = parts.get((number, file.path))
        if found is None:
            found = parts[number, file.path] = (file, [], [])
        return found

    def parts(self) -> Iterator[tuple[str, tuple[Part, ...]]]:
        """Every application with what its files give to it."""
        for app in sorted(self._parts):
            yield (
                app,
                tuple(
                    Part(number, path, file.digest, tuple(documents), tuple(patches))
                    for (number, path), (file, documents, patches) in sorted(
                        self._parts[app].items(), key=itemgetter(0)
                    )
                ),
            )


def _empty(sources: EnvironmentSources) -> Store:
    """The store of an environment for which nothing was sealed yet: messages name the file that will have it."""
    from envcompile.secrets.store import STORE_NAME, Store

    return Store(f"overlays/{sources.environment}/{STORE_NAME}")


def _secrets(
    store: Store,
    external: StoreFacts | None,
    parts: Sequence[Part],
    literals: Iterable[str],
    is_ignored: Ignored,
) -> SecretInput:
    in_clear = {*literals}
    # A Secret is private when every file that has a say in it is ignored, so all are asked about when one is in clear.
    ignored = frozenset(part.path for part in parts if is_ignored(part.path)) if in_clear else frozenset()
    return SecretInput(store, ignored, external)


class _StoreKey:
    """Digests of the part of a store that the Secrets of a unit look at."""

    def __init__(self, store: Store | None) -> None:
        self._names = ""
        self._parts: dict[tuple[str, str], list[str]] = {}
        if store is None:
            return
        self._names = combined_digest(sorted(map(str, store.records)))
        for place, template in store.templates.items():
            self._parts.setdefault(place, []).append(repr(template))
        for name in sorted(store.records):
            self._parts.setdefault((name.namespace, name.name), []).append(repr(store.records[name]))

    def of(self, identities: Iterable[ResourceId]) -> str:
        """The digest for some Secrets: their values, their templates, and the names of all others."""
        parts = [self._names]
        for identity in sorted({*identities}):
            parts += self._parts.get((identity.namespace, identity.name), ())
        return combined_digest(parts)
