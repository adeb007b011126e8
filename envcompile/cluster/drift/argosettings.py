"""What Argo CD's ConfigMap `argocd-cm` says of differences: fields that are none, kinds it does not look at, its marks.

Sources: Argo CD, `docs/operator-manual/argocd-cm.yaml`, "Diff Customization" (system-level configuration), "Resource
Exclusion/Inclusion", "Resource Tracking"; `util/settings/settings.go` (how keys are read).
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.cluster.drift.ignores import ignore_of
from envcompile.cluster.drift.knowntypes import known_type_of
from envcompile.errors import EnvcError
from envcompile.kubernetes.clustermade import map_at
from envcompile.yamlio import load_all

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from envcompile.cluster.drift.ignores import Ignore
    from envcompile.cluster.drift.knowntypes import KnownType
    from envcompile.model import ResourceId

NAME: Final = "argocd-cm"
IN_CLUSTER: Final = "https://kubernetes.default.svc"
"""What Argo CD calls the cluster it runs in."""
TRACKING: Final = "argocd.argoproj.io/tracking-id"
INSTALLATION: Final = "argocd.argoproj.io/installation-id"
LABEL: Final = "app.kubernetes.io/instance"
_CUSTOM: Final = "resource.customizations"
_SPLIT: Final = f"{_CUSTOM}.ignoreDifferences."
_TYPES: Final = f"{_CUSTOM}.knownTypeFields."


class KindFilter(NamedTuple):
    """An entry of `resource.exclusions` or `resource.inclusions`; what is left out stands for all."""

    groups: tuple[str, ...]
    kinds: tuple[str, ...]
    clusters: tuple[str, ...]

    def concerns(self, group: str, kind: str, servers: Collection[str]) -> bool:
        """Whether the entry names a kind of a cluster, which may have several addresses."""
        return (
            (not self.groups or any(fnmatchcase(group, one) for one in self.groups))
            and (not self.kinds or any(one in {"*", kind} for one in self.kinds))
            and self.is_of(servers)
        )

    def is_of(self, servers: Collection[str]) -> bool:
        """Whether the entry holds for a cluster."""
        return not self.clusters or any(fnmatchcase(server, one) for one in self.clusters for server in servers)


class ArgoSettings(NamedTuple):
    """The settings of one Argo CD that have a say in what is a difference; the defaults are Argo CD's own."""

    ignores: tuple[Ignore, ...] = ()
    inclusions: tuple[KindFilter, ...] = ()
    exclusions: tuple[KindFilter, ...] = ()
    tracking: str = "annotation"
    """`annotation`, `label` or `annotation+label`."""
    label: str = LABEL
    installation: str = ""
    servers: tuple[str, ...] = ()
    """Addresses by which Argo CD may know the cluster that is compared."""
    known_types: tuple[KnownType, ...] = ()
    """Fields of custom kinds that hold a type of Kubernetes' own."""
    problems: tuple[str, ...] = ()
    """Settings that cannot be read."""

    @property
    def labels(self) -> bool:
        """Whether objects are marked by a label."""
        return "label" in self.tracking

    def looks_at(self, group: str, kind: str) -> bool:
        """Whether Argo CD looks at a kind at all: what is included, and everything where nothing is."""
        if any(one.concerns(group, kind, self.servers) for one in self.exclusions):
            return False
        included = [one for one in self.inclusions if one.is_of(self.servers)]
        return not included or any(one.concerns(group, kind, self.servers) for one in included)

    def application_of(self, metadata: Mapping[str, Any], identity: ResourceId) -> str:
        """The Application that an object is tracked by; empty for none, and for one whose mark was copied to it.

        Args:
            metadata: the object's.
            identity: which object it is.
        """
        if self.tracking == "label":
            return str(map_at(metadata, "labels").get(self.label) or "")
        annotations = map_at(metadata, "annotations")
        if self.installation and annotations.get(INSTALLATION) != self.installation:
            return ""
        application, _, rest = str(annotations.get(TRACKING) or "").partition(":")
        kind, _, name = rest.partition(":")
        space, _, own = name.partition("/")
        is_own = (kind, own) == (f"{identity.group}/{identity.kind}", identity.name)
        return application if is_own and identity.namespace in {"", space} else ""


def settings_of(data: Mapping[str, Any], *, place: str) -> ArgoSettings:
    """The settings that a ConfigMap's `data` holds.

    Args:
        data: of `argocd-cm`.
        place: where it stands, for what cannot be read.
    """
    reader = _Reader(data, place)
    ignores = tuple(reader.ignores())
    known_types = tuple(reader.known_types())
    return ArgoSettings(
        ignores,
        reader.filters("resource.inclusions"),
        reader.filters("resource.exclusions"),
        reader.text("application.resourceTrackingMethod") or "annotation",
        reader.text("application.instanceLabelKey") or LABEL,
        reader.text("installationID"),
        known_types=known_types,
        problems=tuple(reader.problems),
    )


class _Reader:
    """Values of the ConfigMap, which are YAML texts; those that are not are told and left out."""

    def __init__(self, data: Mapping[str, Any], place: str) -> None:
        self._data = data
        self._place = place
        self.problems: list[str] = []

    def text(self, key: str) -> str:
        """A plain value."""
        found = self._data.get(key)
        return found.strip() if isinstance(found, str) else ""

    def filters(self, key: str) -> tuple[KindFilter, ...]:
        """A list of groups, kinds and clusters."""
        found = self._yaml(key, self.text(key))
        return tuple(
            KindFilter(_texts(one, "apiGroups"), _texts(one, "kinds"), _texts(one, "clusters"))
            for one in (found if isinstance(found, list) else ())
            if isinstance(one, dict)
        )

    def ignores(self) -> Iterator[Ignore]:
        """The differences that are none: of all kinds or of one, each in a key of its own or all in one."""
        whole = self._yaml(_CUSTOM, self.text(_CUSTOM))
        for name, entry in whole.items() if isinstance(whole, dict) else ():
            said = entry.get("ignoreDifferences") if isinstance(entry, dict) else None
            yield from self._ignore(f"{_CUSTOM}: {name}", str(name), said)
        for key in sorted(key for key in self._data if key.startswith(_SPLIT)):
            kind = key.removeprefix(_SPLIT)
            yield from self._ignore(key, "*/*" if kind == "all" else kind.replace("_", "/"), self.text(key))

    def known_types(self) -> Iterator[KnownType]:
        """The fields that hold a known type, in the one key or in a key of each kind."""
        whole = self._yaml(_CUSTOM, self.text(_CUSTOM))
        for name, entry in whole.items() if isinstance(whole, dict) else ():
            yield from _types(str(name), entry.get("knownTypeFields") if isinstance(entry, dict) else None)
        for key in sorted(key for key in self._data if key.startswith(_TYPES)):
            yield from _types(key.removeprefix(_TYPES).replace("_", "/"), self._yaml(key, self.text(key)))

    def _ignore(self, key: str, kind: str, said: Any) -> Iterator[Ignore]:
        entry = self._yaml(key, said) if isinstance(said, str) else said
        if not isinstance(entry, dict):
            return
        group, _, name = kind.rpartition("/")
        yield ignore_of({**entry, "group": group, "kind": name, "namespace": "", "name": ""})

    def _yaml(self, key: str, text: str) -> Any:
        if not text:
            return None
        try:
            found = load_all(text.encode(), self._place)
        except EnvcError as error:
            self.problems.append(f"`{key}` of {self._place} cannot be read: {error.problems[0].what}")
            return None
        return found[0] if found else None


def _types(kind: str, entries: Any) -> Iterator[KnownType]:
    group, _, name = kind.rpartition("/")
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and (found := known_type_of(group, name, entry)) is not None:
            yield found


def _texts(entry: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = entry.get(name)
    return tuple(item for item in found if isinstance(item, str)) if isinstance(found, list) else ()
