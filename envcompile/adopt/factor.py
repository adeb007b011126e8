"""What environments have in common goes to base, what differs to overlays: where every object is written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile import yamlio
from envcompile.adopt.authors import what_of
from envcompile.adopt.common_base import consensus
from envcompile.adopt.generators import makes
from envcompile.adopt.namespaces import OWN, is_namespaced, plan_namespaces, without_namespace
from envcompile.adopt.patching import Laid, Patching, by_what
from envcompile.adopt.shared_settings import settle
from envcompile.compose.differences import Rehearsal, changes, glob_of, whole
from envcompile.values import same

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from envcompile.adopt.authors import Written
    from envcompile.adopt.existing import ExistingEnvironment, Value
    from envcompile.adopt.namespaces import NamespacePlan
    from envcompile.adopt.patching import Told
    from envcompile.kubernetes import KubeApi
    from envcompile.model import ResourceId

GROUP: Final = "envcompile.dev"
"""That of a `kind: Patch` for several objects, which stands among the objects of an overlay."""
_EXCLUSION_LINES = 2
_BASE = ""
"""No environment is called so."""


class Key(NamedTuple):
    """What makes an object the same one in several environments; `space` is OWN for their own namespaces."""

    group: str
    kind: str
    space: str
    name: str


class Strategy(NamedTuple):
    """How much is tried; each step back is plainer and safer.

    `separate` are the objects that every environment keeps whole for itself; `author_base` keeps the author's own base.
    """

    settings: bool = True
    namespace_setting: bool = True
    separate: frozenset[Key] = frozenset()
    in_common: bool = True
    author_base: bool = True
    rounds: int = 0
    components: bool = True
    """Whether components become overlays that environments extend."""
    patches: bool = True
    """Whether the author's patches for several objects stay what they are."""
    affixes: bool = True
    """Whether what environments put around names becomes a parameter."""
    params: bool = True
    """Whether variables that Flux fills in become parameters."""
    suffixes: bool = True
    """Whether names that end in a hash of the content lose it, and the build adds it."""
    loose: bool = True
    """Whether the author's lines stay where they say otherwise what settings say anew, such as a tag."""


@dataclass(frozen=True, slots=True, repr=False)
class AdoptionPlan:
    """The repository to be: documents of the base and of each overlay, and each environment's settings."""

    namespaces: NamespacePlan
    settings: Mapping[str, dict[str, Any]]
    base: Mapping[Key, Value]
    overlays: Mapping[str, Mapping[Key, list[Value]]]
    objects: Mapping[Key, Value]
    """For each key one object as the source has it."""
    keys: Mapping[str, tuple[Key, ...]]
    """For each environment the keys of its objects, in the order of the source."""
    patched: Mapping[tuple[str, Key], tuple[Written | None, ...]]
    """By environment and object the author's patches that stand in the overlay, as many as it has documents, if any."""


def factor(
    environments: Sequence[ExistingEnvironment],
    api: KubeApi,
    strategy: Strategy,
    base: Sequence[Value] = (),
    settled: Collection[str] = ("images", "replicas"),
    *,
    namespaces: NamespacePlan | None = None,
    merge_texts: bool = True,
) -> AdoptionPlan:
    """Decide where every object of every environment is written down.

    Args:
        environments: the objects as the source has them.
        api: the kinds, those of the sources' CustomResourceDefinitions included.
        strategy: how much is tried.
        base: the objects of the author's own base, which stay the base; none: what most environments say is.
        settled: which of `images` and `replicas` become settings.
        namespaces: how namespaces are written down, where that is settled.
        merge_texts: whether the build merges configuration files inside ConfigMaps key by key.
    """
    originals = {each.name: [existing.value for existing in each.objects] for each in environments}
    documents, settings = originals, {name: dict[str, Any]() for name in originals}
    stated = list(base) if strategy.author_base else []
    if strategy.settings:
        # The author's base is one more place in which a label or a tag stands, and no environment of its own.
        documents, settings = settle(
            {**originals, _BASE: stated} if stated else originals,
            settled,
            {each.name: each.renamed for each in environments},
        )
        stated = documents.pop(_BASE, stated)
        settings.pop(_BASE, None)
    if namespaces is None:
        namespaces = plan_namespaces(documents, api, allow_setting=strategy.namespace_setting)
    rehearsals = {
        name: Rehearsal(api, namespaces.own[name] if namespaces.style == "setting" else "", merge_texts=merge_texts)
        for name in originals
    }
    groups: dict[Key, dict[str, Value]] = {}
    objects: dict[Key, Value] = {}
    keys: dict[str, list[Key]] = {name: [] for name in originals}
    for name, values in documents.items():
        for original, value in zip(originals[name], values, strict=True):
            stripped = namespaces.stripped(api, name, value)
            identity = rehearsals[name].identifier.identify(stripped)
            key = Key(identity.group, identity.kind, namespaces.space(api, name, value), identity.name)
            groups.setdefault(key, {})[name] = stripped
            objects.setdefault(key, original)
            keys[name].append(key)
    own = _by_key(stated, api, namespaces, next(iter(rehearsals.values())))
    placing = _Placing(environments, api, namespaces, rehearsals, groups, strategy, own)
    for key in groups:
        placing.place(key)
    objects |= placing.keep_patches()
    for name in originals:
        _add_settings(settings[name], name, namespaces, placing)
    frozen = {name: tuple(each) for name, each in keys.items()}
    return AdoptionPlan(namespaces, settings, placing.base, placing.overlays, objects, frozen, placing.patched)


def _by_key(values: Iterable[Value], api: KubeApi, namespaces: NamespacePlan, rehearsal: Rehearsal) -> dict[Key, Value]:
    """The objects of the author's base by what makes them the same as those of environments.

    One without a namespace, or with that of an environment, is in the environments' own.
    """
    found = {}
    for value in values:
        namespace = value["metadata"].get("namespace") or ""
        if not is_namespaced(api, value):
            space = ""
        elif not namespace or namespace in namespaces.own.values():
            space = OWN
        else:
            space = namespace
        placed = value
        if space == OWN and namespace:
            placed = without_namespace(value)
        identity = rehearsal.identifier.identify(placed)
        found[Key(identity.group, identity.kind, space, identity.name)] = placed
    return found


class _Placing:
    """Places objects one by one."""

    def __init__(
        self,
        environments: Sequence[ExistingEnvironment],
        api: KubeApi,
        namespaces: NamespacePlan,
        rehearsals: Mapping[str, Rehearsal],
        groups: Mapping[Key, dict[str, Value]],
        strategy: Strategy,
        author: Mapping[Key, Value],
    ) -> None:
        names = self._names = tuple(each.name for each in environments)
        self._api = api
        self._namespaces = namespaces
        self._rehearsals = rehearsals
        self._groups = groups
        self._strategy = strategy
        self._author = author
        self._patching = {each.name: Patching(each.patches, rehearsals[each.name], api) for each in environments}
        self._laid: dict[str, dict[Key, Laid]] = {name: {} for name in names}
        self._makers = {
            each.name: by_what(one for one in each.written if one.generator is not None) for each in environments
        }
        self._kinds = {
            name: {(key.group, key.kind) for key, values in groups.items() if name in values} for name in names
        }
        self._same_kind: dict[tuple[str, str], list[str]] = {}
        for key in groups:
            self._same_kind.setdefault((key.group, key.kind), []).append(key.name)
        self.base: dict[Key, Value] = {}
        self.overlays: dict[str, dict[Key, list[Value]]] = {name: {} for name in names}
        self.patched: dict[tuple[str, Key], tuple[Written | None, ...]] = {}

    def place(self, key: Key) -> None:
        """Decide about one object."""
        values = self._groups[key]
        if len(self._names) == 1:
            self.base[key] = next(iter(values.values()))
            return
        belongs_to_base = self._defines_for_others(key)
        is_added = bool(self._author) and key not in self._author and len(values) < len(self._names)
        is_own = is_added or self._is_alone(key) or self._is_made_apart(key)
        if self._stays_separate(key) or (not belongs_to_base and is_own):
            self._place_whole(key)
            return
        base = self._base_of(key)
        patches: dict[str, list[Value]] = {}
        for name, value in values.items():
            found = changes(self._seen_from(base, name), value, self._api, self._rehearsals[name])
            if found is None:
                self._place_whole(key)
                return
            patches[name] = found
        has_few = not belongs_to_base and 2 * len(values) <= len(self._names) and key not in self._author
        if has_few and not self._is_shorter(key, base, patches):
            self._place_whole(key)
            return
        self.base[key] = base
        for name, found in patches.items():
            self._laid[name][key] = Laid(self._seen_from(base, name), found, values[name])
            if found:
                self.overlays[name][key] = found

    def keep_patches(self) -> dict[Key, Value]:
        """Put the author's patches in their overlays, once all objects are placed; those for several objects."""
        keys: dict[tuple[str, str], Key] = {}
        for name, patching in self._patching.items():
            wide, found = patching.settle(self._laid[name], with_wide=self._strategy.patches)
            for key, told in found.items():
                own = [(each, value) for each, value in told if each is None or not each.is_wide]
                if self._laid[name][key].below is None:
                    continue
                self.overlays[name].pop(key, None)
                if own:
                    self._say(name, key, own)
            for each in wide:
                title = each.value["metadata"]["name"]
                same_title = {place for place, known in keys.items() if known.name.partition(" ")[0] == title}
                place = (each.path, each.text)
                number = f" {len(same_title) + 1}" if same_title - {place} else ""
                self._say(name, keys.setdefault(place, Key(GROUP, "Patch", "", title + number)), [(each, each.value)])
        return {
            key: documents[0]
            for each in self.overlays.values()
            for key, documents in each.items()
            if key.group == GROUP
        }

    def _say(self, name: str, key: Key, told: Told) -> None:
        """Write down what the author's patches say of an object."""
        self.patched[name, key] = tuple(each for each, _ in told)
        self.overlays[name][key] = [value for _, value in told]

    def _is_made_apart(self, key: Key) -> bool:
        """Whether each environment has a generator of its own for the object."""
        values = self._groups[key]
        what = what_of(next(iter(values.values())))
        if key in self._author or not all(self._makers[name].get(what) for name in values):
            return False
        found = [
            {each.place for each in self._makers[name][what] if each.generator and makes(each.generator, value)}
            for name, value in values.items()
        ]
        return all(found) and len(found) > 1 and len(set[tuple[str, int]]().union(*found)) == sum(map(len, found))

    def _is_alone(self, key: Key) -> bool:
        """Whether one environment has the object, and no base of the author's."""
        return len(self._groups[key]) == 1 and key not in self._author

    def excluded(self, name: str) -> list[dict[str, str]]:
        """What one environment leaves out of the base."""
        rehearsal = self._rehearsals[name]
        wanted: dict[tuple[str, str], list[ResourceId]] = {}
        for values in self._groups.values():
            if name in values:
                identity = rehearsal.identifier.identify(values[name])
                wanted.setdefault((identity.kind.lower(), identity.name), []).append(identity)
        entries = []
        for key, base in self.base.items():
            if name not in self._groups[key]:
                identity = rehearsal.identifier.identify(self._seen_from(base, name))
                entry = {"kind": identity.kind, "name": glob_of(identity.name)}
                if (identity.kind.lower(), identity.name) in wanted:
                    entry |= {"namespace": glob_of(identity.namespace), "group": glob_of(identity.group)}
                entries.append(entry)
        return entries

    def _stays_separate(self, key: Key) -> bool:
        if not next(iter(self._groups[key].values()))["metadata"].get("name"):
            # An object without a name is told by its content: it is the same everywhere, and nothing collides with it.
            return False
        if not self._strategy.in_common or key in self._strategy.separate:
            return True
        # In an environment whose own namespace has this name, the base would define the object a second time.
        return bool(key.space) and key.space in self._namespaces.own.values()

    def _defines_for_others(self, key: Key) -> bool:
        """Tell whether this is the definition of a custom kind that environments without it use, too.

        Then the base must hold it, so that all of them see the same schema.
        """
        if key.kind != "CustomResourceDefinition":
            return False
        values = self._groups[key]
        spec = next(iter(values.values())).get("spec")
        names = spec.get("names") if type(spec) is dict else None
        if type(spec) is not dict or type(names) is not dict:
            return False
        defined = (spec.get("group"), names.get("kind"))
        return any(defined in kinds for name, kinds in self._kinds.items() if name not in values)

    def _base_of(self, key: Key) -> Value:
        if key in self._author:
            return self._neutral(self._author[key], key)
        values = [self._neutral(value, key) for value in self._groups[key].values()]
        first = values[0]
        if all(same(first, value) for value in values[1:]):
            return first
        group, _, version = first["apiVersion"].rpartition("/")
        return consensus(values, self._api.node(group, version, key.kind))

    def _neutral(self, value: Value, key: Key) -> Value:
        """The object with its own namespace written as the base writes it."""
        if self._namespaces.style != "parameter" or key.space != OWN:
            return value
        return {**value, "metadata": {**value["metadata"], "namespace": OWN}}

    def _seen_from(self, base: Value, name: str) -> Value:
        """The base's object as the build of one environment reads it."""
        if base["metadata"].get("namespace") != OWN:
            return base
        return {**base, "metadata": {**base["metadata"], "namespace": self._namespaces.own[name] or name}}

    def _place_whole(self, key: Key) -> None:
        """Give the object whole to each environment that has it."""
        values = self._groups[key]
        others = [name for name in self._same_kind[key.group, key.kind] if name != key.name]
        found = {name: whole(value, self._rehearsals[name], others) for name, value in values.items()}
        if None in found.values() and (len(values) == 1 or not values[next(iter(values))]["metadata"].get("name")):
            self.base[key] = self._base_of(key)
            return
        for name, documents in found.items():
            self.overlays[name][key] = documents or [values[name]]
            self._laid[name][key] = Laid(None, self.overlays[name][key], values[name])

    def _is_shorter(self, key: Key, base: Value, patches: Mapping[str, list[Value]]) -> bool:
        values = self._groups[key]
        together = _lines([base, *(patch for each in patches.values() for patch in each)])
        return together + _EXCLUSION_LINES * (len(self._names) - len(values)) <= _lines(values.values())


def _lines(values: Iterable[Value]) -> int:
    return sum(yamlio.dump(value).count("\n") for value in values)


def _add_settings(settings: dict[str, Any], name: str, namespaces: NamespacePlan, placing: _Placing) -> None:
    own = namespaces.own[name]
    if namespaces.style == "setting" and own:
        settings["namespace"] = own
    elif namespaces.style == "parameter":
        settings["params"] = {"namespace": own or name}
    excluded = placing.excluded(name)
    if excluded:
        settings["exclude"] = excluded
