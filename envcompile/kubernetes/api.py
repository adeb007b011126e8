"""One Kubernetes version together with the custom kinds of a repository: `load`, and the questions it answers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from envcompile.kubernetes.crds import CustomKind, MergeKeyError, SchemaNode, laid_over, read_crds, with_keys
from envcompile.kubernetes.guided import GuidedNode, well_known
from envcompile.kubernetes.schema import Node
from envcompile.kubernetes.scopes import guess
from envcompile.kubernetes.shipped import shipped
from envcompile.kubernetes.tables import OBJECT_META, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envcompile.kubernetes.schema import Shortcoming
    from envcompile.kubernetes.tables import BuiltIn
    from envcompile.settings import MergeKeyRule

_NO_KINDS: Final[Mapping[tuple[str, str], CustomKind]] = {}

# Kinds of `extensions/v1beta1`, gone since Kubernetes 1.22 but still found in repositories; the types are the same.
# Source: staging/src/k8s.io/api/extensions/v1beta1/types.go, the `replacement` tags.
_MOVED: Final[Mapping[str, str]] = {
    "DaemonSet": "apps",
    "Deployment": "apps",
    "Ingress": "networking.k8s.io",
    "NetworkPolicy": "networking.k8s.io",
    "ReplicaSet": "apps",
}


class KubeApi:
    """What an API server of one version knows about kinds; `with_crds` and `with_merge_keys` give richer copies.

    An api never changes in what it answers: the nodes it keeps are a cache of its own sources.
    """

    __slots__ = ("_custom", "_groups", "_is_known", "_known", "_nodes", "_scopes", "_spellings", "_table")

    def __init__(self, table: Table, custom: Mapping[tuple[str, str], CustomKind] = _NO_KINDS) -> None:
        self._table = table
        self._custom = custom
        self._groups = frozenset(group for group, _ in table.kinds())
        self._known: dict[tuple[str, str], CustomKind | None] = {}
        self._nodes: dict[tuple[str, str, str], Node | None] = {}
        self._scopes: dict[tuple[str, str], bool | None] = {}
        self._is_known: dict[tuple[str, str], bool] = {}
        self._spellings: dict[tuple[str, str], str] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Travels to another process as its version and custom kinds: the tables lie there, too."""
        return _of_version, (self.version, dict(self._custom))

    @property
    def version(self) -> str:
        """The minor version, such as `1.35`."""
        return self._table.version

    def node(self, group: str, version: str, kind: str) -> Node | None:
        """Find the schema of a kind's root; None for a kind nothing is known of.

        A version that is not served (`autoscaling/v2beta2`, `extensions/v1beta1`) answers with the preferred version
        of the kind, so that old manifests merge as they always did; `serves` tells the two apart.
        """
        key = (group, version, kind)
        try:
            return self._nodes[key]
        except KeyError:
            node = self._nodes[key] = self._make_node(group, version, kind)
            return node

    def type_named(self, name: str) -> Node | None:
        """The schema of a type of Kubernetes' own, such as `core/v1/PodSpec`; None for one that there is not."""
        return self._table.type_node(key) if (key := name.replace("/", ".")) in self._table else None

    def knows_alike(self, other: KubeApi, group: str, kind: str) -> bool:
        """Tell whether another api says the same of a kind."""
        if self.version != other.version:
            return False
        return self._custom_kind(group, kind) == other._custom_kind(group, kind)

    def is_namespaced(self, group: str, kind: str) -> bool | None:
        """Tell whether objects of a kind live in a namespace; None for a kind nothing is known of.

        A kind without a schema is judged by `envcompile.kubernetes.scopes`: a short list, and the habit of naming
        cluster-scoped kinds `Cluster…`.
        """
        key = (group, kind)
        try:
            return self._scopes[key]
        except KeyError:
            found = self._scopes[key] = self._find_scope(group, kind)
            return found

    def _find_scope(self, group: str, kind: str) -> bool | None:
        built_in = self._built_in(group, kind)
        if built_in is not None:
            return built_in.is_namespaced
        custom = self._custom_kind(group, kind)
        if custom is not None and custom.is_namespaced is not None:
            return custom.is_namespaced
        return guess(group, kind)

    def knows(self, group: str, kind: str) -> bool:
        """Tell whether the kind is built in, defined here or an operator's; merge keys alone do not count."""
        key = (group, kind)
        found = self._is_known.get(key)
        if found is None:
            custom = self._custom_kind(group, kind) if self._table.built_in(group, kind) is None else None
            is_built_in = custom is None and self._table.built_in(group, kind) is not None
            found = self._is_known[key] = is_built_in or (custom is not None and custom.is_defined)
        return found

    def project(self, group: str, kind: str) -> str:
        """The operator, with its version, whose definition of a kind is taken because nobody defines it here."""
        custom = self._custom_kind(group, kind) if self._table.built_in(group, kind) is None else None
        return custom.project if custom is not None else ""

    def is_loose(self, group: str, kind: str) -> bool:
        """Whether clusters have another definition of a kind that is not defined here, one that takes any field."""
        custom = self._custom_kind(group, kind)
        return custom is not None and custom.is_loose

    def custom(self, group: str, kind: str) -> CustomKind | None:
        """What is known of a kind that is not built in: its structural schemas, and versions that go or are gone."""
        return self._custom_kind(group, kind) if self._table.built_in(group, kind) is None else None

    def is_built_in(self, group: str, kind: str) -> bool:
        """Tell whether Kubernetes itself has the kind."""
        return self._table.built_in(group, kind) is not None

    def owns(self, group: str) -> bool:
        """Tell whether a group is Kubernetes' own, so that nobody else defines kinds in it."""
        return group in self._groups

    def versions(self, group: str, kind: str) -> tuple[str, ...]:
        """List the versions in which a kind is served, the preferred one first."""
        built_in = self._table.built_in(group, kind) or self._custom_kind(group, kind)
        return tuple(built_in.versions) if built_in is not None else ()

    def kinds(self) -> tuple[tuple[str, str], ...]:
        """List every (group, kind) that is built in or defined here."""
        return (*self._table.kinds(), *(key for key, custom in self._custom.items() if custom.is_defined))

    def spelling(self, group: str, kind: str) -> str | None:
        """How a known kind is spelt that differs from the given one by capitals alone; None when there is none."""
        if self._spellings is None:
            self._spellings = {(group, kind.lower()): kind for group, kind in self.kinds()}
        return self._spellings.get((group, kind.lower()))

    def with_crds(self, documents: Iterable[Any]) -> KubeApi:
        """Add the kinds of the CustomResourceDefinitions among parsed documents; a later definition of a kind wins."""
        found = dict(read_crds(documents))
        return KubeApi(self._table, {**self._custom, **found}) if found else self

    def with_merge_keys(self, rules: Iterable[MergeKeyRule]) -> KubeApi:
        """Add the merge keys of envc.yaml; call it after `with_crds`, whose list types win.

        A rule that names no group holds for the kind in whatever group.

        Raises:
            MergeKeyError: when a rule names a built-in kind, or a list its CustomResourceDefinition does not have.
        """
        custom = dict(self._custom)
        for rule in rules:
            for key in self._meant(rule, custom):
                known = custom.get(key, CustomKind(None, {}, is_defined=False))
                versions: Mapping[str, Any] = known.versions or {"": {}}
                laid = {name: with_keys(of, rule, is_defined=known.is_defined) for name, of in versions.items()}
                custom[key] = known._replace(versions=laid)
        return KubeApi(self._table, custom)

    def _meant(self, rule: MergeKeyRule, custom: Mapping[tuple[str, str], CustomKind]) -> list[tuple[str, str]]:
        """Find the kinds a rule holds for; a kind nobody has defined is taken down as it is written."""
        if rule.group:
            if self._table.built_in(rule.group, rule.kind) is not None:
                raise MergeKeyError(rule, f"{rule.kind}.{rule.group} is built in: its lists merge by Kubernetes' rules")
            return [(rule.group, rule.kind)]
        defined = [key for key in custom if key[1] == rule.kind]
        if not defined and any(kind == rule.kind for _, kind in self._table.kinds()):
            raise MergeKeyError(
                rule,
                f"{rule.kind} is built in: its lists merge by Kubernetes' rules (a custom {rule.kind} needs its group)",
            )
        return defined or [("", rule.kind)]

    def _make_node(self, group: str, version: str, kind: str) -> Node | None:
        built_in = self._built_in(group, kind)
        if built_in is not None:
            name = built_in.versions.get(version)
            return self._table.type_node(name or next(iter(built_in.versions.values())))
        custom, operators = self._custom_kind(group, kind), shipped(group, kind)
        own = self._node_of(custom, group, version, kind)
        known = well_known(self._table, group, kind)
        if known is not None:
            own = GuidedNode(own, known, self._every_object())
        if custom is None or operators is None or custom.project:
            return own
        theirs = self._node_of(operators, group, version, kind)
        return own if theirs is None or own is None else GuidedNode(own, theirs)

    def _node_of(self, custom: CustomKind | None, group: str, version: str, kind: str) -> Node | None:
        if custom is None or not custom.versions:
            return None
        schema = custom.versions.get(version)
        if schema is None:
            schema = next(iter(custom.versions.values()))
        return SchemaNode(schema, "", f"{kind}.{group}", self._every_object(), custom.project)

    def _custom_kind(self, group: str, kind: str) -> CustomKind | None:
        """The definition of a kind here, else the one of an operator below what envc.yaml says of its lists."""
        try:
            return self._known[group, kind]
        except KeyError:
            found = self._known[group, kind] = self._find_custom(group, kind)
            return found

    def _find_custom(self, group: str, kind: str) -> CustomKind | None:
        own = self._custom.get((group, kind)) or self._custom.get(("", kind))
        if own is not None and own.is_defined:
            return own
        known = shipped(group, kind)
        if known is None or own is None:
            return known or own
        keys = own.versions[""]
        return known._replace(versions={name: laid_over(of, keys) for name, of in known.versions.items()})

    def _built_in(self, group: str, kind: str) -> BuiltIn | None:
        """Look up a built-in kind, under its new group when it has moved."""
        return self._table.built_in(_MOVED.get(kind, group) if group == "extensions" else group, kind)

    def _every_object(self) -> dict[str, Node]:
        text = Node("string", "string")
        return {"apiVersion": text, "kind": text, "metadata": self._table.type_node(OBJECT_META)}


@cache
def load(version: str) -> KubeApi:
    """Load the built-in kinds of a minor version such as `1.35`; a pure cache of files that never change.

    Raises:
        UnknownVersionError: when the version has no table; the message names the versions that have.
    """
    return KubeApi(Table.read(version))


def _of_version(version: str, custom: Mapping[tuple[str, str], CustomKind]) -> KubeApi:
    built_in = load(version)
    return KubeApi(built_in._table, custom) if custom else built_in  # ruff: ignore[private-member-access] - its own class


def shortcomings(api: KubeApi, value: Any, *, with_doubts: bool = False) -> list[Shortcoming]:
    """List what a resource lacks to be complete: missing fields, wrong types, fields its kind does not have.

    A kind nothing is known of has no shortcomings but the fields every object needs: ask `KubeApi.knows` first.
    Values are judged as they stand, so parameters must have been filled in before. `with_doubts` adds what is refused
    only when an object is created, not when it is applied.
    """
    from envcompile.kubernetes.completeness import find_shortcomings

    return [found for found in find_shortcomings(api, value) if found.is_certain or with_doubts]
