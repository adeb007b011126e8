"""From what the files of an environment speak of to its units: which documents have to be compiled together."""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING

from envcompile.model import Layer
from envcompile.record import Record
from envcompile.sources.scans import combined_digest
from envcompile.sources.yamlfiles import app_of
from envcompile.units.cut import digest_of
from envcompile.units.planned import PlannedUnit, PlannedUnits
from envcompile.units.unit import SecretInput, UnitInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from envcompile.kubernetes import KubeApi
    from envcompile.model import PatchId, ResourceId
    from envcompile.secrets.externalstore import StoreFacts
    from envcompile.secrets.store import Store
    from envcompile.settings import Layout
    from envcompile.sources import EnvironmentSources
    from envcompile.units.cut import Cutter, Names, Part, Share
    from envcompile.units.unit import ApiFacts

    Ignored = Callable[[str], bool]

_BASE = "base"


class EnvironmentPlan(Record, frozen=True):
    """One environment as units, and what only the link step looks at."""

    sources: EnvironmentSources
    api: KubeApi
    facts: ApiFacts
    merge_texts: bool
    units: PlannedUnits
    store: Store | None
    """The sealed values; None where there are none."""
    patches: tuple[tuple[int, str, int, PatchId], ...]
    """Every `kind: Patch`: layer, file, number, and what tells it from all others."""
    given: Mapping[str, str]
    """What all units are given, by name: digests."""
    private: frozenset[str]
    """The files that git ignores in which a Secret may stand in clear."""
    patched: tuple[tuple[int, str, str], ...]
    """Every file with a `kind: Patch`: layer, path, digest."""
    layout: Layout
    """What the files hold that are made of it; nothing before depends on it."""
    documents: int
    """So many documents and patches its files have."""

    @property
    def environment(self) -> str:
        """The environment's name."""
        return self.sources.environment

    @property
    def is_joined(self) -> bool:
        """Whether what units say depends on others: what a unit alone says is not yet what is written."""
        settings = self.sources.settings
        return settings.rollout in {"checksum", "suffix"} or settings.sync_waves or settings.force_namespace

    @property
    def store_digest(self) -> str:
        """The digest of the sealed values."""
        return _StoreKey(self.store).of_all()

    @property
    def joined_from(self) -> str:
        """The digest of what joining looks at besides what units tell."""
        patches = [f"{number} {path} {digest}" for number, path, digest in self.patched]
        parts = [f"{name} {digest}" for name, digest in self.given.items()]
        return combined_digest([*parts, *patches, self.store_digest])

    def edited(self, edits: Mapping[tuple[int, str], str]) -> EnvironmentPlan:
        """The plan after an edit of files that speak of the same as before.

        Args:
            edits: number of the layer and path -> the file's digest now.
        """
        if not edits:
            return self
        made: dict[int, PlannedUnit] = {}
        for number in self.units.into({path for _, path in edits}):
            unit = self.units[number]
            parts = tuple([
                part._replace(digest=edits.get((part.layer, part.path), part.digest)) for part in unit.parts
            ])
            key = unit_key(self.given, unit.app, unit.sealed, digest_of(parts))
            made[number] = unit._replace(parts=parts, key=key)
        patched = tuple([(number, path, edits.get((number, path), digest)) for number, path, digest in self.patched])
        return self._replace(units=self.units.replaced(made), patched=patched)

    def inputs_of(self, unit: PlannedUnit) -> dict[str, str]:
        """Everything that a unit is compiled from: name -> digest, for who wants to know what changed."""
        from envcompile.units.why import parts_of

        found = {part.path: part.digest for part in unit.parts}
        for path, reads in self.sources.reads([*found]):
            found |= parts_of(path, reads)
        if unit.sealed:
            found["sealed values"] = unit.sealed
        return {**self.given, **found}

    def input_of(self, unit: PlannedUnit) -> UnitInput:
        """The whole input of a unit: its files are read now.

        Raises:
            EnvcError: a file cannot be read.
        """
        sources = self.sources
        layers: list[Layer] = []
        shares: list[list[Part]] = [[] for _ in sources.layer_names]
        for part in unit.parts:
            shares[part.layer].append(part)
        for name, parts in zip(sources.layer_names, shares, strict=True):
            if not parts:
                layers.append(Layer(name, (), (), {}))
                continue
            said = [(part, sources.documents(name, part.path)) for part in parts]
            layers.append(
                Layer(
                    name,
                    tuple([found.documents[at] for part, found in said for at in part.documents]),
                    tuple([found.patches[at] for part, found in said for at in part.patches]),
                    {part.path: app_of(part.path, name) for part in parts},
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
    cutter: Cutter,
    *,
    given: Mapping[str, str],
    merge_texts: bool,
    store: Store | None,
    external: StoreFacts | None,
    is_ignored: Ignored,
    layout: Layout,
) -> EnvironmentPlan:
    """Cut an environment into units.

    A resource belongs to the application whose file speaks of it first; every document of its identity, in whatever
    folder, goes with it. So does each `kind: Patch` that can name it.

    Args:
        sources: the environment's settings and what its files speak of.
        api: what decides which kinds live in namespaces.
        facts: what the api was made from.
        cutter: of the same api.
        given: the digests of what all units of the environment are given, by name.
        merge_texts: configuration files inside ConfigMaps merge key by key.
        store: the environment's sealed values.
        external: what it says of the store of an operator.
        is_ignored: tells whether git ignores a file; asked only about files with Secrets in clear.
        layout: what the files hold that are made of it.

    Raises:
        EnvcError: everything that is wrong with the files.
    """
    settings = sources.settings
    names, found = cutter.cut(sources.scans, settings.namespace or "", is_forced=settings.force_namespace)
    patches = [
        (number, file.path, at, target.patch)
        for number, scan in enumerate(sources.scans)
        for file in scan.files
        for at, target in enumerate(file.targets)
    ]
    patched = [
        (number, file.path, file.digest)
        for number, scan in enumerate(sources.scans)
        for file in scan.files
        if file.targets
    ]
    planned = planner(sources, store, given, names, external, is_ignored)
    units = list(starmap(planned, sorted(found.shares.items())))
    private = frozenset().union(*(unit.secrets.ignored for unit in units if unit.secrets is not None))
    if private:
        # A file may give documents to other units than that of its Secret.
        units = [
            unit._replace(may_be_remembered=private.isdisjoint([part.path for part in unit.parts])) for unit in units
        ]
    return EnvironmentPlan(
        sources,
        api,
        facts,
        merge_texts,
        PlannedUnits.of(units),
        store,
        tuple(patches),
        given,
        private,
        tuple(patched),
        layout,
        sum(len(file.heads) + len(file.targets) for scan in sources.scans for file in scan.files),
    )


def planner(
    sources: EnvironmentSources,
    store: Store | None,
    given: Mapping[str, str],
    names: Names,
    external: StoreFacts | None,
    is_ignored: Ignored,
) -> Callable[[str, Share], PlannedUnit]:
    """What makes a unit of an application and what it is given.

    Args:
        sources: the environment's settings.
        store: its sealed values.
        given: the digests of what all its units are given, by name.
        names: how it completes what documents call their resources.
        external: what it says of the store of an operator.
        is_ignored: tells whether git ignores a file; asked only about files with Secrets in clear.
    """
    store_key = _StoreKey(store)
    is_sealing = sources.settings.secret_backend != "plaintext"

    def planned(app: str, share: Share) -> PlannedUnit:
        secrets = None
        sealed = ""
        if share.secrets and is_sealing:
            secrets = _secrets(store or empty_store(sources.environment), external, share, is_ignored)
            sealed = combined_digest([
                store_key.of(map(names.identity, share.secrets)),
                repr(external),
                *sorted(secrets.ignored),
            ])
        key = unit_key(given, app, sealed, share.digest)
        return PlannedUnit(app, share.parts, secrets, sealed, may_be_remembered=True, key=key)

    return planned


def unit_key(given: Mapping[str, str], app: str, sealed: str, parts: str) -> str:
    """The digest of everything that a unit is compiled from.

    Args:
        given: the digests of what all units of its environment are given, by name.
        app: its application.
        sealed: the digest of what is sealed for it.
        parts: the digest of its parts.
    """
    return combined_digest([*(f"{name} {digest}" for name, digest in given.items()), app, sealed, parts])


def empty_store(environment: str) -> Store:
    """The store of an environment for which nothing was sealed yet: messages name the file that will have it."""
    from envcompile.secrets.store import STORE_NAME, Store

    return Store(f"overlays/{environment}/{STORE_NAME}")


def _secrets(store: Store, external: StoreFacts | None, share: Share, is_ignored: Ignored) -> SecretInput:
    # A Secret is private when every file that has a say in it is ignored, so all are asked about when one is in clear.
    ignored = frozenset(part.path for part in share.parts if is_ignored(part.path)) if share.literals else frozenset()
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

    def of_all(self) -> str:
        """The digest of the whole store."""
        return combined_digest([self._names, *(text for place in sorted(self._parts) for text in self._parts[place])])

    def of(self, identities: Iterable[ResourceId]) -> str:
        """The digest for some Secrets: their values, their templates, and the names of all others."""
        parts = [self._names]
        for identity in sorted({*identities}):
            parts += self._parts.get((identity.namespace, identity.name), ())
        return combined_digest(parts)
