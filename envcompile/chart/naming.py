"""Knows which names of a chart's objects may change, and where other objects say them.

With `nameOverride` of `chart:` in envc.yaml a chart can be installed more than once in one namespace: all its objects
are then called after the release, and every field that names one of them has to follow. Fields are recognised by what
the API calls them (https://kubernetes.io/docs/reference/kubernetes-api/), and a word counts only where an object of
that kind is part of the chart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping  # ruff: ignore[typing-only-standard-library-import] - records are read by their types
from typing import TYPE_CHECKING, Any, Final

from envcompile.chart.facts import MAKE_SECRETS, OF_SELECTOR
from envcompile.chart.namepatterns import patterns_of
from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envcompile.chart.shapes import Subject

LABELS: Final = ("app.kubernetes.io/instance", "release", "helm-release")
"""Labels that tell releases apart: the first that the manifests themselves do not use."""
OPEN: Final = "\ufdd0"
"""Stands before a name in a constant text; characters that no text of a manifest may hold (Unicode noncharacters)."""
CLOSE: Final = "\ufdd1"

KEPT: Final = frozenset({"Namespace", "CustomResourceDefinition", "APIService", "CSIDriver", "CSINode", "Node"})
"""Kinds whose names mean something to others."""
_SCOPES: Final = ("sealedsecrets.bitnami.com/cluster-wide", "sealedsecrets.bitnami.com/namespace-wide")

_FIELDS: Final[Mapping[str, str]] = {
    "serviceAccountName": "ServiceAccount",
    "serviceAccount": "ServiceAccount",
    "secretName": "Secret",
    "configMapName": "ConfigMap",
    "claimName": "PersistentVolumeClaim",
    "persistentVolumeClaimName": "PersistentVolumeClaim",
    "volumeName": "PersistentVolume",
    "storageClassName": "StorageClass",
    "ingressClassName": "IngressClass",
    "priorityClassName": "PriorityClass",
    "runtimeClassName": "RuntimeClass",
    "gatewayClassName": "GatewayClass",
    "serviceName": "Service",
    "stableService": "Service",
    "canaryService": "Service",
    "activeService": "Service",
    "previewService": "Service",
    "templateName": "AnalysisTemplate",
}
"""Fields that name an object of a kind."""
_HOLDERS: Final[Mapping[str, str]] = {
    "configMapRef": "ConfigMap",
    "configMapKeyRef": "ConfigMap",
    "configMap": "ConfigMap",
    "secret": "Secret",
    "secrets": "Secret",
    "imagePullSecrets": "Secret",
    "certificateRefs": "Secret",
    "service": "Service",
    "backendRef": "Service",
    "backendRefs": "Service",
    "alertmanagers": "Service",
    "parentRefs": "Gateway",
    "serviceAccountRef": "ServiceAccount",
    "issuerRef": "Issuer",
    "secretStoreRef": "SecretStore",
    "scaleTargetRef": "Deployment",
    "authenticationRef": "TriggerAuthentication",
}
"""Maps whose `name` is that of an object, with its kind where no `kind` stands beside."""
_SECRET_HOLDER: Final = re.compile(r"(?i:secret(key)?ref)$")
_ANNOTATIONS: Final[Mapping[str, str]] = {
    "kubernetes.io/service-account.name": "ServiceAccount",
    "cert-manager.io/issuer": "Issuer",
    "cert-manager.io/cluster-issuer": "ClusterIssuer",
    "cert-manager.io/inject-ca-from": "Certificate",
    "cert-manager.io/inject-ca-from-secret": "Secret",
    "nginx.ingress.kubernetes.io/auth-secret": "Secret",
    "nginx.ingress.kubernetes.io/auth-tls-secret": "Secret",
    "nginx.ingress.kubernetes.io/default-backend": "Service",
}
"""Annotations whose value is the name of an object, or NAMESPACE/NAME."""
LABELLED: Final = frozenset({"labels", "matchLabels", "selector", "nodeSelector", "matchExpressions"})
"""Maps in which no object is named."""
_HOST_KEY: Final = re.compile(
    r"(?i:(?:host(?:name)?|addr(?:ess)?|endpoint|server|service|svc|url|uri|upstream|broker|backend)(?:e?s)?)$"
)
"""What the key of a text that is nothing but a host ends with."""
_HOST_FIELDS: Final = frozenset({"host", "hosts", "hostname", "url", "uri", "address", "endpoint", "server"})


class NameTable(Record, frozen=True):
    """What is known of the names of a chart."""

    by_kind: Mapping[str, frozenset[str]]
    """The names that change, by the kind of the objects that have them."""
    namespaces: frozenset[str]
    labels: tuple[Mapping[str, str], ...]
    """The labels of pods and objects, which selectors may ask for."""
    kept: tuple[str, ...]
    """The objects whose names stay, as KIND/NAME."""
    label: str
    """The label that tells releases apart."""
    trims: bool
    """Whether the chart's own name at the beginning of an object's gives way to the new one."""

    def described(self) -> list[Any]:
        """All that decides what is renamed, as JSON can say it."""
        names = [[kind, sorted(found)] for kind, found in sorted(self.by_kind.items())]
        labels = [sorted(one.items()) for one in self.labels]
        return [names, sorted(self.namespaces), labels, self.label, self.trims]

    def selects(self, wanted: Mapping[str, Any]) -> bool:
        """Whether a label selector means something of the chart."""
        return bool(wanted) and any(
            all(labels.get(key) == value for key, value in wanted.items()) for labels in self.labels
        )


def table_of(subjects: Iterable[Subject], chart: str) -> NameTable:
    """The names of a chart's objects.

    Args:
        subjects: what becomes templates.
        chart: the chart's name.
    """
    names: dict[str, set[str]] = {}
    namespaces: set[str] = set()
    labels: dict[tuple[tuple[str, str], ...], None] = {}
    kept: dict[str, None] = {}
    bound: set[str] = set()
    for subject in subjects:
        for facts in subject.facts.values():
            if isinstance(facts.namespace, str):
                namespaces.add(facts.namespace)
            maps: dict[int, dict[str, str]] = {}
            for position, family, key, value in facts.labels:
                if family == "labels" and position != OF_SELECTOR and isinstance(value, str):
                    maps.setdefault(position, {})[key] = value
            labels.update({tuple(sorted(one.items())): None for one in maps.values()})
            name = facts.name
            if name is None:
                continue
            if _is_kept(subject, name, facts.labels):
                kept[f"{subject.kind}/{name}"] = None
                if subject.kind == "SealedSecret":
                    bound.add(name)
            else:
                names.setdefault(subject.kind, set()).add(name)
        for name in _made_secrets(subject):
            names.setdefault("Secret", set()).add(name)
    if bound:
        kept |= {f"Secret/{name}": None for name in sorted(bound & names.get("Secret", set()))}
        names["Secret"] = names.get("Secret", set()) - bound
    found = {kind: frozenset(one) for kind, one in names.items() if one}
    every = {name for one in found.values() for name in one}
    trims = len({trimmed(name, chart) for name in every}) == len(every)
    used = {key for one in labels for key, _ in one}
    label = next((key for key in LABELS if key not in used), LABELS[-1])
    return NameTable(found, frozenset(namespaces), tuple(map(dict, labels)), tuple(kept), label, trims)


def trimmed(name: str, chart: str) -> str:
    """What is left of a name without the chart's at its beginning."""
    return "" if name == chart else name.removeprefix(f"{chart}-")


def _is_kept(subject: Subject, name: str, labels: Iterable[tuple[int, str, str, str | None]]) -> bool:
    if (
        subject.kind in KEPT
        or name.startswith(("system:", "system-"))
        or (subject.kind, name) == ("ServiceAccount", "default")
    ):
        return True
    if subject.kind != "SealedSecret":
        return False
    # Sealed for this very name, unless it says otherwise: nobody could open it under another.
    return not any(key in _SCOPES and value == "true" for _, family, key, value in labels if family == "annotations")


def _made_secrets(subject: Subject) -> Iterator[str]:
    """The Secrets that a controller makes of a resource."""
    if subject.kind == "SealedSecret":
        for facts in subject.facts.values():
            if facts.name is not None and not _is_kept(subject, facts.name, facts.labels):
                yield facts.name
    elif subject.kind in MAKE_SECRETS:
        for held in subject.held.values():
            yield from held.portion.uses(held.position).makes


class Marker:
    """Finds the names in the texts of one resource, and puts marks around them.

    Args:
        table: the names of the chart.
        kind: the resource's kind.
        group: its API group.
    """

    def __init__(self, table: NameTable, kind: str, group: str) -> None:
        self._table = table
        self._kind = kind
        self._group = group
        self._hosts = patterns_of(table)

    def text(self, value: str, path: tuple[str, ...], beside: Mapping[str, Any]) -> str:
        """A text with marks around the names in it.

        Args:
            value: the text.
            path: the keys on the way to it; the items of a list share that of the list.
            beside: the map it stands in.
        """
        if OPEN in value or not path:
            return value
        if path == ("metadata", "name"):
            return self._named(value, self._kind)
        if "annotations" in path[-2:-1]:
            kind = _ANNOTATIONS.get(path[-1], "")
            head, slash, name = value.rpartition("/")
            return f"{head}{slash}{self._named(name, kind)}" if kind else value
        if any(key in LABELLED for key in path[:-1]) or path[:1] == ("metadata",):
            return value
        kind = self._kind_of(path, beside)
        if kind:
            return self._named(value, kind)
        if path[-1] == "resourceNames":
            return self._of_rule(value, beside)
        return self.hosts(value, is_bare=self._is_host(path, beside)) if self._may_hold_hosts(path, value) else value

    def hosts(self, text: str, *, is_bare: bool = False) -> str:
        """A text with marks around the Services of the chart that it uses as hosts.

        Args:
            text: the text.
            is_bare: it is a host where it holds nothing else.
        """
        if OPEN in text:
            return text
        if is_bare and text in self._table.by_kind.get("Service", ()):
            return f"{OPEN}{text}{CLOSE}"
        for pattern in self._hosts:
            text = pattern.sub(_marked, text)
        return text

    def deep(self, value: Any, path: tuple[str, ...], beside: Mapping[str, Any]) -> Any:
        """Any value with marks around the names in its texts."""
        if isinstance(value, dict):
            return {key: self.deep(item, (*path, key), value) for key, item in value.items()}
        if isinstance(value, list):
            return [self.deep(item, path, beside) for item in value]
        return self.text(value, path, beside) if isinstance(value, str) else value

    def _named(self, value: str, kind: str) -> str:
        return f"{OPEN}{value}{CLOSE}" if value in self._table.by_kind.get(kind, ()) else value

    def _kind_of(self, path: tuple[str, ...], beside: Mapping[str, Any]) -> str:
        key, parent = path[-1], path[-2] if len(path) > 1 else ""
        if key == "name":
            said = beside.get("kind")
            if isinstance(said, str):
                return said
            if self._kind == "ExternalSecret" and path == ("spec", "target", "name"):
                return "Secret"
            if self._kind == "SealedSecret" and path[-3:-1] == ("template", "metadata"):
                return "Secret"
            return _HOLDERS.get(parent, "Secret" if _SECRET_HOLDER.search(parent) else "")
        return _FIELDS.get(key, "")

    def _of_rule(self, value: str, beside: Mapping[str, Any]) -> str:
        """A name in a rule of a Role: of an object of one of the resources that the rule speaks of."""
        resources = beside.get("resources")
        said = {str(one).partition("/")[0] for one in resources} if isinstance(resources, list) else set()
        for kind, names in self._table.by_kind.items():
            if value in names and _resource(kind) in said:
                return f"{OPEN}{value}{CLOSE}"
        return value

    def _is_host(self, path: tuple[str, ...], beside: Mapping[str, Any]) -> bool:
        if self._kind == "ConfigMap" and path[0] == "data":
            return _HOST_KEY.search(path[-1]) is not None
        if path[-1] == "value" and "env" in path[-2:]:
            return _HOST_KEY.search(str(beside.get("name"))) is not None
        return path[-1] in _HOST_FIELDS

    def _may_hold_hosts(self, path: tuple[str, ...], value: str) -> bool:
        if self._kind in {"Ingress", "Secret", "SealedSecret", "CustomResourceDefinition"} or path[-1] == "image":
            return False
        if self._kind == "ConfigMap" or path[-1] in {"args", "command"} or "env" in path[-2:]:
            return True
        if path[-1] in {"host", "hosts"}:
            return self._group == "networking.istio.io"
        return path[-1] in _HOST_FIELDS or "://" in value or ".svc" in value


def names_in(text: Any) -> dict[str, None]:
    """The names that are marked in a text, or in any text of a value."""
    if isinstance(text, str):
        return dict.fromkeys(re.findall(f"{OPEN}([^{CLOSE}]*){CLOSE}", text))
    below = text.values() if isinstance(text, dict) else text if isinstance(text, list) else ()
    return {name: None for item in below for name in names_in(item)}


def bare(text: str) -> str:
    """A text without marks."""
    return text.replace(OPEN, "").replace(CLOSE, "")


def _marked(found: re.Match[str]) -> str:
    groups = found.groupdict()
    pod = f"{OPEN}{groups['pod']}{CLOSE}{groups['ordinal']}" if groups.get("pod") else ""
    return f"{groups['left']}{pod}{OPEN}{groups['name']}{CLOSE}"


def _resource(kind: str) -> str:
    """What a rule of a Role calls a kind."""
    word = kind.lower()
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "ch")) else f"{word}s"
