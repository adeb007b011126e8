"""Namespaces: which one is an environment's own, and how base and overlays say so."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envcompile.adopt.existing import Existing, Value
    from envcompile.kubernetes import KubeApi

OWN = "<own>"
"""Stands for an environment's own namespace, whatever it is called there; no namespace has such a name."""

PARAMETER = "${{ params.namespace }}"

Style = Literal["setting", "parameter", "literal"]
Documents = dict[str, list["Value"]]
"""For each environment its objects, in the order of the source."""

_BINDINGS = frozenset({"RoleBinding", "ClusterRoleBinding"})


class NamespacePlan(NamedTuple):
    """How namespaces are written down.

    `setting`: `namespace:` of environment.yaml says the environment's own, and documents leave it out. `parameter`:
    documents of the base say `${{ params.namespace }}`. `literal`: every document names its namespace. `own` is the
    environment's own namespace; empty where it has none.
    """

    style: Style
    own: Mapping[str, str]

    def space(self, api: KubeApi, environment: str, value: Value) -> str:
        """The namespace of an object seen from its environment: OWN, another one by name, or empty."""
        if not is_namespaced(api, value):
            return ""
        namespace: str = value["metadata"].get("namespace") or ""
        own = self.own[environment]
        if self.style == "setting" and not own:
            return OWN
        if self.style == "parameter" and not value["metadata"].get("name"):
            # A generated name is told by the whole object, the namespace it states included.
            return namespace
        return OWN if namespace and namespace == own else namespace

    def stripped(self, api: KubeApi, environment: str, value: Value) -> Value:
        """The object without what the build puts in: its own namespace, also in the subjects of bindings."""
        own = self.own[environment]
        if self.style != "setting" or not own:
            return value
        if is_namespaced(api, value) and value["metadata"].get("namespace") == own:
            value = without_namespace(value)
        if value["kind"] in _BINDINGS and type(value.get("subjects")) is list:
            value = {**value, "subjects": [_without_own(subject, own) for subject in value["subjects"]]}
        return value


def without_namespace(value: Value) -> Value:
    """The object without the namespace that it states."""
    return {**value, "metadata": {key: item for key, item in value["metadata"].items() if key != "namespace"}}


def is_namespaced(api: KubeApi, value: Value) -> bool:
    """Tell whether objects of this kind live in a namespace; those of unknown kinds do, as for the build."""
    return api.is_namespaced(value["apiVersion"].rpartition("/")[0], value["kind"]) is not False


def placed(objects: Iterable[Existing], namespace: str) -> list[Existing]:
    """The objects as Argo CD applies them: those of a namespace that name none are in that of the destination."""
    from envcompile.kubernetes import load
    from envcompile.settings import DEFAULT_KUBERNETES_VERSION

    api = load(DEFAULT_KUBERNETES_VERSION)
    found = []
    for existing in objects:
        value = existing.value
        if not value["metadata"].get("namespace") and is_namespaced(api, value):
            value = {**value, "metadata": {**value["metadata"], "namespace": namespace}}
        found.append(existing._replace(value=value))
    return found


def with_marks(objects: Iterable[Existing], marks: Mapping[str, Mapping[str, str]]) -> list[Existing]:
    """The objects with the labels and annotations that Flux puts on each (`spec.commonMetadata`)."""
    found = []
    for existing in objects:
        metadata = existing.value["metadata"]
        more = {field: {**(metadata.get(field) or {}), **items} for field, items in marks.items() if items}
        found.append(existing._replace(value={**existing.value, "metadata": {**metadata, **more}}))
    return found


def plan_namespaces(documents: Documents, api: KubeApi, *, allow_setting: bool) -> NamespacePlan:
    """Decide how namespaces are written down, so that the environments have as much in common as possible."""
    counts = {environment: _named(api, values) for environment, values in documents.items()}
    candidates = _candidates(documents, counts)
    best = min(candidates, key=lambda own: len(_identities(documents, api, own)))
    uniform = all(_is_uniform(api, values, best[environment]) for environment, values in documents.items())
    if allow_setting and uniform:
        return NamespacePlan("setting", best)
    literal = dict.fromkeys(documents, "")
    if len(set(best.values())) > 1 and len(_identities(documents, api, best)) < len(
        _identities(documents, api, literal)
    ):
        return NamespacePlan("parameter", best)
    return NamespacePlan("literal", literal)


def _named(api: KubeApi, values: Iterable[Value]) -> Counter[str]:
    """How many objects name each namespace."""
    return Counter(
        value["metadata"]["namespace"]
        for value in values
        if is_namespaced(api, value) and value["metadata"].get("namespace")
    )


def _candidates(documents: Documents, counts: Mapping[str, Counter[str]]) -> list[dict[str, str]]:
    """Ways to say which namespace is an environment's own: its most frequent one, or the most frequent of all."""
    frequent = {environment: _most_frequent(count) for environment, count in counts.items()}
    overall: Counter[str] = Counter()
    for count in counts.values():
        overall.update(count)
    everywhere = _most_frequent(overall)
    return [frequent, {environment: everywhere if counts[environment] else "" for environment in documents}]


def _most_frequent(count: Counter[str]) -> str:
    return min(count, key=lambda name: (-count[name], name), default="")


def _identities(documents: Documents, api: KubeApi, own: Mapping[str, str]) -> set[tuple[str, ...]]:
    """The distinct identities of all objects when an environment's own namespace is the same everywhere."""
    found: set[tuple[str, ...]] = set()
    for environment, values in documents.items():
        for value in values:
            namespace = (value["metadata"].get("namespace") or "") if is_namespaced(api, value) else ""
            if namespace == own[environment]:
                namespace = OWN
            name = value["metadata"].get("name") or value["metadata"]["generateName"]
            found.add((value["apiVersion"].rpartition("/")[0], value["kind"], namespace, name))
    return found


def _is_uniform(api: KubeApi, values: Sequence[Value], own: str) -> bool:
    """Tell whether `namespace:` of environment.yaml would put in nothing that the source does not have."""
    namespaced = [value for value in values if is_namespaced(api, value)]
    if not own:
        return not any(value["metadata"].get("namespace") for value in namespaced)
    if not all(value["metadata"].get("namespace") for value in namespaced):
        return False
    return all(
        subject.get("namespace")
        for value in values
        if value["kind"] in _BINDINGS and type(value.get("subjects")) is list
        for subject in value["subjects"]
        if type(subject) is dict and subject.get("kind") == "ServiceAccount"
    )


def _without_own(subject: Any, own: str) -> Any:
    if type(subject) is dict and subject.get("kind") == "ServiceAccount" and subject.get("namespace") == own:
        return {key: item for key, item in subject.items() if key != "namespace"}
    return subject
