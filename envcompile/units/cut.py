"""Which application's unit each document and each `kind: Patch` of an environment belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.compose.identity import Identifier
from envcompile.compose.reachable import Reachable
from envcompile.compose.targets import may_reach
from envcompile.model import ResourceId
from envcompile.record import Record
from envcompile.sources.scans import combined_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.kubernetes import KubeApi
    from envcompile.sources.environments import LayerScan
    from envcompile.sources.scans import FileScan, TargetGlobs

    Key = tuple[str, str, str, str]
    """Group, kind, namespace and name of a resource; the namespace is empty where it is the environment's own."""


class Part(Record, frozen=True):
    """What one file gives to a unit: the numbers of its documents and of its patches."""

    layer: int
    path: str
    digest: str
    documents: tuple[int, ...]
    patches: tuple[int, ...]


class Share(Record, frozen=True):
    """What some layers give to one application."""

    parts: tuple[Part, ...]
    """Sorted as their layers lay them."""
    digest: str
    """Of the parts."""
    secrets: tuple[Key, ...]
    """Its Secrets, as often as documents speak of them."""
    literals: tuple[str, ...]
    """The files that give Secrets a value in clear, or may."""

    def with_further(self, upper: Share) -> Share:
        """What these layers and those above them give."""
        digest = f"{self.digest} {upper.digest}"
        return Share(self.parts + upper.parts, digest, self.secrets + upper.secrets, self.literals + upper.literals)


class Cut(Record, frozen=True):
    """Some layers taken apart."""

    owners: Mapping[Key, str]
    """Each resource's application."""
    shares: Mapping[str, Share]
    """What each application is given."""


class Names:
    """How an environment completes what its documents call their resources.

    Args:
        api: what decides which kinds live in namespaces.
        namespace: the environment's; empty for none.
        is_forced: it wins over what documents say.
    """

    def __init__(self, api: KubeApi, namespace: str, *, is_forced: bool) -> None:
        self._identifier = Identifier(api, namespace, forced=is_forced)
        self.namespace = namespace
        self.is_forced = is_forced and bool(namespace)

    def key(self, api_version: str, kind: str, namespace: str, name: str) -> Key:
        """What tells the resource that a document speaks of from all others of the environment."""
        group, is_namespaced = self._identifier.kind_of(api_version, kind)
        is_own = not namespace or self.is_forced or not is_namespaced or namespace == self.namespace
        return group, kind, "" if is_own else namespace, name

    def identity(self, key: Key) -> ResourceId:
        """The identity that a key stands for."""
        group, kind, namespace, name = key
        if not namespace and self._identifier.is_namespaced(ResourceId(*key)):
            namespace = self.namespace
        return ResourceId(group, kind, namespace, name)


class Cutter:
    """Takes layers apart, each combination of files and names once: environments share their base.

    Args:
        api: what decides which kinds live in namespaces.
    """

    def __init__(self, api: KubeApi) -> None:
        self._api = api
        self._known: list[tuple[tuple[FileScan, ...], str, bool, Cut]] = []

    def cut(self, layers: Sequence[LayerScan], namespace: str, *, is_forced: bool) -> tuple[Names, Cut]:
        """Give the documents and patches of an environment to the applications whose resources they speak of.

        Args:
            layers: what the files of each layer speak of, base first.
            namespace: the environment's; empty for none.
            is_forced: it wins over what documents say.
        """
        names = Names(self._api, namespace, is_forced=is_forced)
        base = self._base(layers[0], names)
        upper = _cut(list(enumerate(layers))[1:], names, base.owners)
        shares = dict(base.shares)
        for app, share in upper.shares.items():
            below = shares.get(app)
            shares[app] = below.with_further(share) if below is not None else share
        return names, Cut(upper.owners, shares)

    def _base(self, layer: LayerScan, names: Names) -> Cut:
        spoken = {head.namespace for file in layer.files for head in file.heads}
        depends = names.namespace in spoken or any(file.targets for file in layer.files)
        namespace = names.namespace if depends else ""
        for files, known, is_forced, found in self._known:
            if known == namespace and is_forced == names.is_forced and files == layer.files:
                return found
        found = _cut([(0, layer)], names, {})
        self._known.append((layer.files, namespace, names.is_forced, found))
        return found


class _Growing(Record, frozen=True):
    """What an application is given so far."""

    parts: dict[tuple[int, str], tuple[str, list[int], list[int]]]
    """Layer and path -> digest of the file, and the numbers of its documents and of its patches."""
    secrets: list[Key]
    literals: list[str]

    def part(self, number: int, file: FileScan) -> tuple[str, list[int], list[int]]:
        """What a file gives."""
        found = self.parts.get((number, file.path))
        if found is None:
            found = self.parts[number, file.path] = (file.digest, [], [])
        return found


def _cut(layers: Sequence[tuple[int, LayerScan]], names: Names, below: Mapping[Key, str]) -> Cut:
    owners: dict[Key, str] = dict(below)
    growing: dict[str, _Growing] = {}
    key_of = names.key
    for number, layer in layers:
        for file in layer.files:
            for at, head in enumerate(file.heads):
                key = key_of(head.api_version, head.kind, head.namespace, head.name)
                app = owners.setdefault(key, file.app)
                given = growing.get(app)
                if given is None:
                    given = growing[app] = _Growing({}, [], [])
                given.part(number, file)[1].append(at)
                if head.kind == "Secret" and not key[0]:
                    given.secrets.append(key)
                    if head.holds_literals:
                        given.literals.append(file.path)
        patching = [file for file in layer.files if file.targets]
        reach = _Reach(owners, names) if patching else None
        for file in patching:
            for at, target in enumerate(file.targets):
                for app, is_secret in reach.apps(target).items() if reach is not None else ():
                    given = growing.setdefault(app, _Growing({}, [], []))
                    given.part(number, file)[2].append(at)
                    if is_secret:
                        given.literals.append(file.path)
    known: dict[tuple[int, ...], tuple[int, ...]] = {}
    return Cut(owners, {app: _closed(given, known) for app, given in growing.items()})


class _Reach:
    """The resources of some layers, found by what a target says of them: not each patch looks at each resource."""

    def __init__(self, owners: Mapping[Key, str], names: Names) -> None:
        self._known = Reachable()
        self._apps: dict[ResourceId, tuple[str, bool]] = {}
        for key, app in owners.items():
            identity = names.identity(key)
            self._known.add(identity)
            self._apps[identity] = (app, key[1] == "Secret" and not key[0])

    def apps(self, target: TargetGlobs) -> dict[str, bool]:
        """The applications of which a target can name a resource, and whether one of these is a Secret."""
        reached: dict[str, bool] = {}
        for identity in self._known.candidates(target):
            app, is_secret = self._apps[identity]
            if (app not in reached or (is_secret and not reached[app])) and may_reach(target, identity):
                reached[app] = reached.get(app, False) or is_secret
        return reached


def _closed(given: _Growing, known: dict[tuple[int, ...], tuple[int, ...]]) -> Share:
    """What an application is given in the end; the numbers that many files give are held once."""
    parts = tuple([
        Part(number, path, digest, known.setdefault(own := tuple(documents), own), tuple(patches))
        for (number, path), (digest, documents, patches) in sorted(given.parts.items())
    ])
    return Share(parts, _digest(parts), tuple(given.secrets), tuple(given.literals))


def digest_of(parts: Sequence[Part]) -> str:
    """The digest of all that an application is given, in parts that are sorted as their layers lay them."""
    base = [part for part in parts if part.layer == 0]
    return " ".join([_digest(own) for own in (base, parts[len(base) :]) if own])


def _digest(parts: Sequence[Part]) -> str:
    return combined_digest([
        f"{part.layer} {part.path} {part.digest} {part.documents} {part.patches}" for part in parts
    ])
