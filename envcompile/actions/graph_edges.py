"""What each resource of an environment needs, routes to or only watches over, and by which of its fields."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from envcompile.check.pods import pods_of
from envcompile.check.references import Provisions
from envcompile.check.selectors import PodIndex, is_empty
from envcompile.compose import configtext
from envcompile.compose.references import DEPENDS_ON_ANNOTATION, depends_on, hosts_in, names_of
from envcompile.kubernetes.kindwords import kinds_meant
from envcompile.kubernetes.podspecs import containers, maps_in, pod_template
from envcompile.kubernetes.references import object_references, pod_references
from envcompile.model import ResourceId

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.check.pods import Pods
    from envcompile.model import Resource

EdgeKind = Literal["needs", "routes", "guards"]
"""`needs`: it does not work without; `routes`: a Service finds its pods by labels; `guards`: it only points at, as
budgets, policies and scalers do, which lose their meaning and break nothing when that goes."""

_GUARDS: Final = frozenset({
    "PodDisruptionBudget",
    "NetworkPolicy",
    "HorizontalPodAutoscaler",
    "VerticalPodAutoscaler",
    "ScaledObject",
    "ScaledJob",
    "ServiceMonitor",
    "PodMonitor",
})
_HOST_KEY: Final = re.compile(r"(?i)host|url|uri|addr|server|endpoint|broker|bootstrap|upstream|target|proxy")
"""Names of settings whose values are hosts; elsewhere a bare word is a word."""


class Edge(NamedTuple):
    """One resource points at another; `why` is the field, or what sort of use it is."""

    source: ResourceId
    target: ResourceId
    kind: EdgeKind
    why: str
    is_missing: bool = False
    """True when the target is not there, nor made by anybody that is known."""


class Edges:
    """The edges of one environment.

    Args:
        resources: all of it.
    """

    def __init__(self, resources: Sequence[Resource]) -> None:
        self._resources = resources
        self._called = {name: one.id for one in resources for name in names_of(one.id, one.value)}
        self._pods = {one.id: pods for one in resources if (pods := pods_of(one)) is not None}
        self._index = PodIndex(self._pods.values())
        self._provisions = Provisions(resources)
        self._namespaces = {one.id.namespace for one in resources if one.id.namespace}

    def all(self) -> list[Edge]:
        """Every edge once, sorted; what every resource needs (its namespace, its definition) is none."""
        found: dict[tuple[ResourceId, ResourceId, EdgeKind], Edge] = {}
        for resource in self._resources:
            for edge in self._of(resource):
                known = found.setdefault((edge.source, edge.target, edge.kind), edge)
                if known is not edge and edge.why not in known.why.split(", "):
                    key = (edge.source, edge.target, edge.kind)
                    found[key] = known._replace(
                        why=f"{known.why}, {edge.why}", is_missing=known.is_missing and edge.is_missing
                    )
        return sorted(found.values())

    def _of(self, resource: Resource) -> Iterator[Edge]:
        identity, value = resource.id, resource.value
        for kind, name in depends_on(value):
            yield self._named(identity, self._kind_meant(kind, identity.namespace, name), name, DEPENDS_ON_ANNOTATION)
        yield from self._of_pods(resource)
        way: EdgeKind = "guards" if identity.kind in _GUARDS else "needs"
        for kind, name in object_references(identity.kind, value):
            if kind and name:
                yield self._named(identity, kind, name, _FIELDS.get(identity.kind, "names it"), way)
        if identity.kind == "ConfigMap" and not identity.group:
            yield from self._of_texts(identity, value)
        yield from self._of_selectors(identity, value)

    def _named(
        self, source: ResourceId, kind: str, name: str, why: str, way: EdgeKind = "needs", *, may_miss: bool = False
    ) -> Edge:
        """An edge to an object of the namespace, else to one of the whole cluster."""
        namespace = source.namespace
        word = "secret" if kind == "Secret" else f"kind {kind.lower()}"
        target = self._called.get((word, namespace, name)) or self._called.get((word, "", name))
        if target is not None:
            return Edge(source, target, way, why)
        is_missing = not may_miss and not self._is_made(kind, namespace, name)
        return Edge(source, _stand_in(kind, namespace, name), way, why, is_missing)

    def _kind_meant(self, word: str, namespace: str, name: str) -> str:
        """The kind that is meant by a word such as `deployment` or `deploy`; the word itself where none is there."""
        meant = kinds_meant(word)
        if "secret" in meant:
            return "Secret"
        there = (kind for kind in sorted(meant) for at in (namespace, "") if (f"kind {kind}", at, name) in self._called)
        return next(there, word)

    def _is_made(self, kind: str, namespace: str, name: str) -> bool:
        """Tell whether the cluster or an operator makes an object."""
        if kind in {"ConfigMap", "Secret"}:
            return self._provisions.find(kind, namespace, name) is not None
        if kind == "ServiceAccount":
            return name == "default" or self._provisions.has_account(namespace, name)
        if kind == "PersistentVolumeClaim":
            return self._provisions.has_claim(namespace, name)
        # Roles such as `view` and stores of the whole cluster are the cluster's own.
        return kind.startswith("Cluster") or self._provisions.is_made(kind, namespace, name)

    def _of_pods(self, resource: Resource) -> Iterator[Edge]:
        identity, value = resource.id, resource.value
        template = pod_template(identity, value)
        if template is None:
            return
        for reference in pod_references(template):
            if reference.name:
                yield self._named(
                    identity, reference.kind, reference.name, _USES[reference.use], may_miss=reference.optional
                )
        for container in containers(identity, value):
            for variable in maps_in(container, "env"):
                text = variable.get("value")
                if isinstance(text, str):
                    yield from self._hosts(identity, text, f"env {variable.get('name')}")

    def _hosts(self, source: ResourceId, text: str, why: str) -> Iterator[Edge]:
        for host in hosts_in(text):
            target = self._called.get(("host", source.namespace, host)) or self._called.get(("host", "", host))
            if target is not None:
                yield Edge(source, target, "needs", why)
                continue
            name, _, rest = host.partition(".")
            namespace, _, ending = rest.partition(".")
            if namespace in self._namespaces and (ending == "svc" or ending.startswith("svc.")):
                yield Edge(source, _stand_in("Service", namespace, name), "needs", why, is_missing=True)

    def _of_texts(self, identity: ResourceId, value: dict[str, Any]) -> Iterator[Edge]:
        """Hosts in configuration: in settings that are named like one, and in addresses anywhere."""
        data = value.get("data")
        for entry, text in data.items() if isinstance(data, dict) else ():
            if not isinstance(text, str) or not isinstance(entry, str):
                continue
            for key, said in _settings_in(entry, text):
                if "://" in said or _HOST_KEY.search(key) or ".svc" in said:
                    yield from self._hosts(identity, said, f"host in {key}")

    def _of_selectors(self, identity: ResourceId, value: dict[str, Any]) -> Iterator[Edge]:
        spec = value.get("spec")
        if not isinstance(spec, dict):
            return
        if identity.kind == "Service" and not identity.group:
            selector = spec.get("selector")
            if isinstance(selector, dict) and selector:
                for pods in self._index.selected(identity.namespace, {"matchLabels": selector}):
                    yield Edge(identity, pods.resource.id, "routes", "spec.selector")
        elif identity.kind == "PodDisruptionBudget":
            yield from self._guarded(identity, spec.get("selector"), "spec.selector")
        elif identity.kind == "NetworkPolicy" and not is_empty(spec.get("podSelector")):
            yield from self._guarded(identity, spec.get("podSelector"), "spec.podSelector")
            for way, side in (("ingress", "from"), ("egress", "to")):
                for rule in maps_in(spec, way):
                    for peer in maps_in(rule, side):
                        if "namespaceSelector" not in peer and not is_empty(peer.get("podSelector")):
                            yield from self._guarded(identity, peer.get("podSelector"), f"{way} {side}")

    def _guarded(self, identity: ResourceId, selector: Any, why: str) -> Iterator[Edge]:
        pods: Pods
        for pods in self._index.selected(identity.namespace, selector):
            yield Edge(identity, pods.resource.id, "guards", why)


_USES: Final = {
    "env": "env",
    "volume": "volume",
    "driver": "volume driver",
    "pull": "imagePullSecrets",
    "account": "serviceAccountName",
    "claim": "volume",
}
_FIELDS: Final = {
    "Ingress": "backend or TLS",
    "RoleBinding": "roleRef or subjects",
    "ClusterRoleBinding": "roleRef or subjects",
    "ExternalSecret": "secretStoreRef",
    "SecretStore": "serviceAccountRef",
    "ClusterSecretStore": "serviceAccountRef",
    "ServiceAccount": "imagePullSecrets",
    **dict.fromkeys(("HorizontalPodAutoscaler", "ScaledObject"), "spec.scaleTargetRef"),
    "VerticalPodAutoscaler": "spec.targetRef",
}
_GROUPS: Final = {"Deployment": "apps", "StatefulSet": "apps", "Role": "rbac.authorization.k8s.io"}


def _stand_in(kind: str, namespace: str, name: str) -> ResourceId:
    """The identity that something would have that is not there."""
    return ResourceId(_GROUPS.get(kind, ""), kind, namespace, name)


def _settings_in(entry: str, text: str) -> Iterator[tuple[str, str]]:
    """Keys and values of an entry of a ConfigMap: of a file that has keys, of lines, or the entry itself."""
    if configtext.format_of(entry) is not None:
        try:
            found = configtext.keys(entry, text)
        except configtext.ConfigTextError:
            found = {}
        if found:
            yield from ((key, span.value) for key, span in found.items() if isinstance(span.value, str))
            return
    if "\n" not in text.strip():
        yield entry, text
        return
    for line in text.splitlines():
        words = line.split("#", 1)[0].replace(";", " ").split()
        for word in words:
            if ".svc" in word or "://" in word:
                yield entry, word
