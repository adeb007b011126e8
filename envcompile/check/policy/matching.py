"""Which requests a policy is asked about: rules of resources, selectors of objects and namespaces.

Sources: pkg/admission/plugin/policy/matching/matching.go and pkg/admission/plugin/webhook/predicates of
k8s.io/apiserver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.cel.values import UnknownError
from envcompile.check.reading import list_at, map_at, maps_at, strings_at, text_at, texts_at

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME_LABEL: Final = "kubernetes.io/metadata.name"
"""The label that every namespace has, with its name."""


class Namespace(NamedTuple):
    """The namespace of an object; `value` is None where only its name is known."""

    name: str
    value: dict[str, Any] | None

    def label(self, key: str) -> str | None:
        """The value of a label; None where it has none.

        Raises:
            UnknownError: the namespace is not among the resources.
        """
        if key == NAME_LABEL:
            return self.name
        if self.value is None:
            what = f"the labels of the namespace `{self.name}` are not known: it is not among the resources"
            raise UnknownError(what)
        return strings_at(self.value, "metadata", "labels").get(key)


class Request(NamedTuple):
    """One thing that is asked of the API server."""

    operation: str
    """`CREATE`, `UPDATE` or `DELETE`."""
    group: str
    version: str
    kind: str
    resource: str
    """The plural of the kind, in small letters."""
    name: str
    namespace: Namespace | None
    """None for an object without one; a Namespace is in itself."""
    value: dict[str, Any] | None
    old: dict[str, Any] | None
    user: Mapping[str, Any] | None = None
    """Who asks, as `request.userInfo` has it; None where that is not known."""
    is_dry: bool = False

    @property
    def either(self) -> list[dict[str, Any]]:
        """The object as it will be and as it was."""
        return [value for value in (self.value, self.old) if value is not None]


class Elsewhere(NamedTuple):
    """A rule speaks of the same kind in another version, in which the server would show the object."""

    version: str


def match(constraints: Mapping[str, Any], request: Request) -> bool | Elsewhere:
    """Tell whether `matchConstraints` of a policy or `matchResources` of a binding cover a request.

    Raises:
        UnknownError: labels of its namespace decide, and are not known.
    """
    excluded = [_covers(rule, request) for _, rule in maps_at(constraints, "excludeResourceRules")]
    if any(covered == "whole" for covered in excluded):
        return False
    rules = list_at(constraints, "resourceRules")
    found: bool | Elsewhere = not rules
    for _, rule in maps_at(constraints, "resourceRules"):
        covered = _covers(rule, request)
        if covered == "whole":
            found = True
            break
        if covered == "version" and text_at(constraints, "matchPolicy") != "Exact":
            found = next(map(Elsewhere, texts_at(rule, "apiVersions")), found)
    if found is False:
        return False
    selector = map_at(constraints, "objectSelector")
    if selector and not any(selects(selector, _labels(value)) for value in request.either):
        return False
    selector = map_at(constraints, "namespaceSelector")
    if selector and request.namespace is not None and not selects(selector, request.namespace):
        return False
    return found


def _labels(value: dict[str, Any]) -> Labels:
    return Labels(strings_at(value, "metadata", "labels"))


class Labels(NamedTuple):
    """The labels of an object."""

    known: Mapping[str, str]

    def label(self, key: str) -> str | None:
        """The value of a label; None where there is none."""
        return self.known.get(key)


def selects(selector: Mapping[str, Any], labels: Labels | Namespace) -> bool:
    """Tell whether a LabelSelector selects what has these labels.

    Raises:
        UnknownError: a label that decides is not known.
    """
    if any(labels.label(key) != value for key, value in map_at(selector, "matchLabels").items()):
        return False
    for _, demand in maps_at(selector, "matchExpressions"):
        value, values = labels.label(text_at(demand, "key")), texts_at(demand, "values")
        answers = {
            "In": value is not None and value in values,
            "NotIn": value is None or value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not answers.get(text_at(demand, "operator")):
            return False
    return True


def _covers(rule: Mapping[str, Any], request: Request) -> str:
    """Whether a rule covers a request: `whole`, all but the `version`, or not at all."""
    names = texts_at(rule, "resourceNames")
    if names and request.name not in names:
        return ""
    if not _has(rule, "operations", request.operation) or not _has(rule, "apiGroups", request.group):
        return ""
    if not any(_is_resource(resource, request.resource) for resource in texts_at(rule, "resources")):
        return ""
    scope = text_at(rule, "scope") or "*"
    has_namespace = request.namespace is not None and request.kind != "Namespace"
    if scope != "*" and (scope == "Namespaced") is not has_namespace:
        return ""
    return "whole" if _has(rule, "apiVersions", request.version) else "version"


def _has(rule: Mapping[str, Any], field: str, wanted: str) -> bool:
    return bool({"*", wanted} & set(texts_at(rule, field)))


def _is_resource(pattern: str, resource: str) -> bool:
    return pattern in {"*", "*/*", resource, f"{resource}/*"}
