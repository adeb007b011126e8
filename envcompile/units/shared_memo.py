"""What a team remembers together: a memo behind the one in a project's own folder.

Many units are kept in one object, and their files' bytes in another, because such places answer each question slowly.
Objects are named by what they are made from. Whoever can write there can choose what is built, but not more than that:
everything that is read is looked over before it is believed, and nothing of it is ever executed.
"""

from __future__ import annotations

import hashlib
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

import msgspec

from envcompile.errors import EnvcError
from envcompile.sources.scans import FileScan, combined_digest
from envcompile.sources.yamlfiles import app_of
from envcompile.units.memo import (
    Remembered,  # ruff: ignore[typing-only-first-party-import] - records are read by their types
    digest_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from envcompile.sources import ParsedFiles, Tree
    from envcompile.units.environment import LinkedEnvironment
    from envcompile.units.joined_paths import JoinedPaths
    from envcompile.units.memo import FolderMemo
    from envcompile.units.objects import ObjectStore
    from envcompile.units.plan import EnvironmentPlan
    from envcompile.units.planned import PlannedUnit
    from envcompile.units.sharing import Sharing
    from envcompile.units.why import MadeOf

T = TypeVar("T")

_TOGETHER = 32
"""So many applications share an object, about: one that changed makes the others of its object strangers."""
_HEXADECIMAL = frozenset("0123456789abcdef")


class _Units(msgspec.Struct, array_like=True, frozen=True):
    """Several units by their keys."""

    entries: dict[str, Remembered]


class SharedMemo:  # ruff: ignore[too-many-public-methods] - all that a memo is asked
    """The memo of a project's own folder, and behind it one that a team shares.

    Args:
        local: the one that is asked first.
        store: the place of the other one.
        tool: names this version of envc by content.
        sharing: tells what may go there.
        is_writable: whether something may go there at all.
    """

    def __init__(
        self, local: FolderMemo, store: ObjectStore, tool: str, sharing: Sharing, *, is_writable: bool
    ) -> None:
        self._local = local
        self._store = store
        self._tool = tool
        self._sharing = sharing
        self._is_writable = is_writable
        self._taken: set[tuple[str, str]] = set()
        self._learnt: dict[str, set[str]] = {}
        self._bundles: dict[str, list[_Bundle]] = {}
        self._missed_scans: list[tuple[str, str, list[str]]] = []

    @property
    def trouble(self) -> str:
        """Why the shared place is not used any more, in words; empty while all is well."""
        return self._store.trouble

    def get(self, environment: str, key: str) -> Remembered | None:
        """What is remembered of a unit; None when it is nothing."""
        return self._local.get(environment, key)

    def note_used(self, environment: str, keys: Sequence[str], apps: Sequence[str]) -> None:
        """Keep what is remembered of units that nobody had to ask for."""
        self._local.note_used(environment, keys, apps)

    def may_speak_of(self, environment: str, key: str, text: bytes) -> bool:
        """Tell whether what is remembered of a unit may hold a text in what it tells; nothing is unpacked for it."""
        return self._local.may_speak_of(environment, key, text)

    def last(self, environment: str, app: str) -> Mapping[str, str] | None:
        """What an application was compiled from when it was remembered last: name -> digest."""
        return self._local.last(environment, app)

    def made_of(self, environment: str) -> MadeOf | None:
        """What digests of settings and definitions were made of; None where an envc of other code remembered units."""
        return self._local.made_of(environment)

    def put_made_of(self, environment: str, made: MadeOf) -> None:
        """Remember what the digests of an environment's settings and definitions are made of: not for others."""
        self._local.put_made_of(environment, made)

    def put(self, environment: str, key: str, entry: Remembered) -> None:
        """Remember a unit until `save`, and for others until `publish`."""
        self._local.put(environment, key, entry)
        self._learnt.setdefault(environment, set()).add(key)

    def joined(self, environment: str, digest: str) -> JoinedPaths | None:
        """For each unit of an environment the paths of its files; None when their joining is not remembered here."""
        return self._local.joined(environment, digest)

    def put_joined(self, environment: str, digest: str, paths: list[tuple[str, ...]]) -> None:
        """Remember that nothing comes of joining units but where their files are: not for others."""
        self._local.put_joined(environment, digest, paths)

    def wholes(self, environment: str) -> Mapping[str, str]:
        """The SHA-256 of files that hold several resources, by a digest of those of their resources' texts."""
        return self._local.wholes(environment)

    def put_wholes(self, environment: str, wholes: dict[str, str]) -> None:
        """Remember the SHA-256 of an environment's files, and no others: not for others."""
        self._local.put_wholes(environment, wholes)

    def is_shared(self, environment: str, key: str) -> bool:
        """Tell whether what is remembered of a unit came from others just now."""
        return (environment, key) in self._taken

    def close(self, _environment: str) -> None:
        """Nothing is given up before it is published."""

    def save(self) -> None:
        """Keep what was learnt in the project's folder."""
        self._local.save()

    def scans(self) -> Mapping[tuple[str, str], FileScan]:
        """What files spoke of, by layer and path."""
        return self._local.scans()

    def save_scans(self, scans: Mapping[tuple[str, str], FileScan], without: Iterable[str] = ()) -> None:
        """Keep what files speak of in the project's folder."""
        self._local.save_scans(scans, without)

    def fetch_scans(self, tree: Tree, parsed: ParsedFiles, layers: Mapping[str, Iterable[str]]) -> None:
        """Learn from others what files speak of.

        Args:
            tree: the project's files.
            parsed: takes what is learnt.
            layers: the resource files of each layer.
        """
        asked: dict[str, tuple[str, dict[str, str]]] = {}
        for layer, files in layers.items():
            paths = [path for path in files if self._sharing.shares_file(path)]
            for group in _grouped(paths, [app_of(path, layer) for path in paths]):
                try:
                    digests = {path: parsed.digest(tree, path) for path in group}
                except EnvcError:
                    continue  # told about when the file is needed
                known = parsed.scans
                if all((layer, path) in known and known[layer, path].digest == digests[path] for path in group):
                    continue
                name = combined_digest([
                    "scans",
                    self._tool,
                    layer,
                    *(f"{path} {one}" for path, one in digests.items()),
                ])
                asked[name] = (layer, digests)
        found = self._store.get(asked)
        for name, (layer, digests) in asked.items():
            scans = _decoded_scans(found.get(name), layer, digests)
            if scans is None:
                self._missed_scans.append((name, layer, list(digests)))
            else:
                parsed.lend(layer, scans)

    def fetch(self, plans: Iterable[EnvironmentPlan]) -> None:
        """Learn from others what is not remembered here of the units of some environments."""
        asked: dict[str, list[tuple[EnvironmentPlan, _Bundle]]] = {}
        for plan in plans:
            if not self._sharing.shares_results(plan):
                continue
            bundles = self._bundles[plan.environment] = _bundles(plan, self._sharing.units_of(plan))
            for bundle in bundles:
                if any(self._local.get(plan.environment, plan.units[number].key) is None for number in bundle.numbers):
                    asked.setdefault(bundle.name(self._tool), []).append((plan, bundle))
        for name, body in self._store.get(asked).items():
            entries = _decoded_units(body)
            for plan, bundle in asked[name]:
                for number in bundle.numbers:
                    self._take(plan, plan.units[number], entries.get(plan.units[number].key))

    def _take(self, plan: EnvironmentPlan, unit: PlannedUnit, entry: Remembered | None) -> None:
        if entry is None or self._local.get(plan.environment, unit.key) is not None:
            return
        if _is_plausible(plan, unit, entry):
            self._taken.add((plan.environment, unit.key))
            self._local.put(plan.environment, unit.key, entry)

    def texts(
        self, linked: LinkedEnvironment, units: Iterable[int], digests: Callable[[int], list[str]]
    ) -> Iterator[tuple[int, list[bytes]]]:
        """Numbers of units whose files others keep, each with the bytes of all of them: their SHA-256 was made anew.

        Args:
            linked: the environment.
            units: the numbers of those whose files are asked for.
            digests: gives the SHA-256 of every file of a unit.
        """
        wanted = frozenset(units)
        asked: dict[str, list[tuple[int, list[str]]]] = {}
        for bundle in self._bundles.get(linked.environment, ()):
            if not wanted.isdisjoint(bundle.numbers):
                listed = [(number, digests(number)) for number in bundle.numbers]
                asked[combined_digest(["files", *chain.from_iterable([own for _, own in listed])])] = listed
        for name, body in self._store.get(asked).items():
            texts = _decoded_texts(body)
            start = 0
            for number, own in asked[name]:
                found = texts[start : start + len(own)]
                start += len(own)
                if number in wanted and [hashlib.sha256(text).hexdigest() for text in found] == own:
                    yield number, found

    def publish(
        self,
        parsed: ParsedFiles,
        made: Iterable[tuple[LinkedEnvironment, Callable[[int], list[str]], Callable[[int], list[bytes] | None]]],
    ) -> None:
        """Tell others what was learnt.

        Args:
            parsed: what files speak of.
            made: each environment, what gives the SHA-256 of every file of a unit, and what finds their bytes at hand.
        """
        if not self._is_writable or self.trouble:
            return
        objects: dict[str, bytes] = {}
        for name, layer, paths in self._missed_scans:
            scans = [parsed.scans[layer, path] for path in paths if (layer, path) in parsed.scans]
            public = [scan for scan in scans if not any(head.holds_literals for head in scan.heads)]
            objects[name] = msgspec.msgpack.encode(public)
        for linked, digests, texts_of in made:
            learnt = self._learnt.get(linked.environment, set())
            for bundle in self._bundles.get(linked.environment, ()):
                if not learnt.isdisjoint(bundle.keys):
                    objects.update(self._objects(linked, bundle, digests, texts_of))
        self._store.put(objects)
        self._learnt.clear()
        self._missed_scans.clear()

    def _objects(
        self,
        linked: LinkedEnvironment,
        bundle: _Bundle,
        digests: Callable[[int], list[str]],
        texts_of: Callable[[int], list[bytes] | None],
    ) -> dict[str, bytes]:
        known = {key: self._local.get(linked.environment, key) for key in bundle.keys}
        entries = {key: entry for key, entry in known.items() if entry is not None}
        objects = {bundle.name(self._tool): msgspec.msgpack.encode(_Units(entries))}
        listed: list[str] = []
        texts: list[bytes] = []
        for number in bundle.numbers:
            listed += digests(number)
            found = texts_of(number)
            if found is None:
                return objects
            texts += found
        if [hashlib.sha256(text).hexdigest() for text in texts] == listed:
            objects[combined_digest(["files", *listed])] = msgspec.msgpack.encode(texts)
        return objects


class _Bundle:
    """The units of an environment that share an object."""

    def __init__(self, numbers: tuple[int, ...], keys: tuple[str, ...]) -> None:
        self.numbers = numbers
        self.keys = keys

    def name(self, tool: str) -> str:
        """What its object is called: the digest of all that it is made from."""
        return combined_digest(["units", tool, *self.keys])


def _bundles(plan: EnvironmentPlan, shared: frozenset[int]) -> list[_Bundle]:
    numbers = sorted(shared)
    groups = _grouped(numbers, [plan.units[number].app for number in numbers])
    return [_Bundle(tuple(group), tuple([plan.units[number].key for number in group])) for group in groups]


def _grouped(items: Sequence[T], apps: Sequence[str]) -> list[list[T]]:
    """Items by their application's name, so that which ones share an object hardly depends on what else there is."""
    names = {*apps}
    count = 1
    while count * _TOGETHER < len(names):
        count *= 2
    number = {app: int(hashlib.sha256(app.encode()).hexdigest()[:8], 16) % count for app in names}
    groups: dict[int, list[T]] = {}
    for item, app in zip(items, apps, strict=True):
        groups.setdefault(number[app], []).append(item)
    return [groups[at] for at in sorted(groups)]


def _decoded_units(body: bytes) -> dict[str, Remembered]:
    try:
        return msgspec.msgpack.decode(body, type=_Units).entries
    except (msgspec.MsgspecError, RecursionError):
        return {}


def _decoded_texts(body: bytes) -> list[bytes]:
    try:
        return msgspec.msgpack.decode(body, type=list[bytes])
    except (msgspec.MsgspecError, RecursionError):
        return []


def _decoded_scans(body: bytes | None, layer: str, digests: Mapping[str, str]) -> list[FileScan] | None:
    """The scans of an object; None when it is not there, or says what cannot be."""
    if body is None:
        return None
    try:
        scans = msgspec.msgpack.decode(body, type=list[FileScan])
    except (msgspec.MsgspecError, RecursionError):
        return None
    for scan in scans:
        if digests.get(scan.path) != scan.digest or scan.varies or scan.app != app_of(scan.path, layer):
            return None
    return scans


def _is_plausible(plan: EnvironmentPlan, unit: PlannedUnit, entry: Remembered) -> bool:
    """Tell whether an entry can be of a unit, so far that nothing that is made of it leads astray.

    An application becomes the name of a folder; digests and origins are relied on to be of their form.
    """
    exports = entry.exports()
    try:
        msgspec.msgpack.decode(entry.inputs, type=dict[str, str])
    except (msgspec.MsgspecError, RecursionError):
        return False
    if exports is None or entry.app != unit.app or entry.told_digest != digest_of(entry.told):
        return False
    resources = exports.resources
    parts = {(part.layer, part.path) for part in unit.parts}
    layers = [scan.name for scan in plan.sources.scans]
    apps = {unit.app, *(app_of(path, layers[layer]) for layer, path in parts)}
    if len({one.id for one in resources}) != len(resources):
        return False
    for one in resources:
        if one.app not in apps or one.origin[:2] not in parts:
            return False
    count, length = len(resources), 64 * len(resources)
    for digests in entry.files.values():
        joined = "".join(digests)
        if len(digests) != count or len(joined) != length or not _HEXADECIMAL.issuperset(joined):
            return False
        if any(len(digest) != 64 for digest in digests):
            return False
    return True
