"""Selectors of labels and of nodes, and what they must select.

Sources: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go; pkg/apis/core/validation/
validation.go, ValidateNodeSelector, ValidateNodeSelectorRequirement, ValidateNodeFieldSelectorRequirement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.names import label_value, qualified, subdomain
from envcompile.check.reading import list_at, map_at, maps_at
from envcompile.check.selectors import matches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.refusal import Place, Said, Validator
    from envcompile.model import Pointer

_OPERATORS: Final = frozenset({"DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn"})


def requirement(value: dict[str, Any], _: Place) -> Said:
    """The values that an operator wants, or does not want."""
    operator, values = value.get("operator"), list_at(value, "values")
    if operator in {"In", "NotIn"} and not values:
        yield ("values",), f"`values` is missing: the operator {operator} compares with them"
    elif operator in {"Exists", "DoesNotExist"} and values:
        yield ("values",), f"`values` stands beside the operator {operator}, which compares with nothing"


def node_term(value: dict[str, Any], place: Place) -> Said:
    """One term of a node selector: requirements for labels and for fields of nodes."""
    allows_bad_values = "preferredDuringSchedulingIgnoredDuringExecution" not in place.names
    for index, item in maps_at(value, "matchExpressions"):
        at: Pointer = ("matchExpressions", index)
        yield from _node_requirement(item, at)
        if (what := qualified(item.get("key", ""))) is not None:
            yield (*at, "key"), f"`key` {what}"
        if allows_bad_values:
            for position, text in enumerate(list_at(item, "values")):
                if what := label_value(text):
                    yield (*at, "values", position), f"item {position} of `values` {what}"
    for index, item in maps_at(value, "matchFields"):
        at = ("matchFields", index)
        values = list_at(item, "values")
        if item.get("operator") not in {"In", "NotIn"}:
            yield (*at, "operator"), "`operator` of a field of nodes is not one of In, NotIn"
        elif len(values) != 1:
            yield (*at, "values"), "`values` of a field of nodes is not exactly one"
        if item.get("key") != "metadata.name":
            yield (*at, "key"), "`key` of a field of nodes is not `metadata.name`"
        else:
            for position, text in enumerate(values):
                if what := subdomain(text):
                    yield (*at, "values", position), f"item {position} of `values` {what}"


def _node_requirement(item: dict[str, Any], at: Pointer) -> Said:
    operator, values = item.get("operator"), list_at(item, "values")
    if operator in {"In", "NotIn"} and not values:
        yield (*at, "values"), f"`values` is missing: the operator {operator} compares with them"
    elif operator in {"Exists", "DoesNotExist"} and values:
        yield (*at, "values"), f"`values` stands beside the operator {operator}, which compares with nothing"
    elif operator in {"Gt", "Lt"} and len(values) != 1:
        yield (*at, "values"), f"`values` is not exactly one number: the operator {operator} compares with it"
    elif not isinstance(operator, str) or operator not in _OPERATORS:
        yield (*at, "operator"), f"`operator` is not one of {', '.join(sorted(_OPERATORS))}"


def matches_template(spec: dict[str, Any], _: Place) -> Said:
    """A selector that is not empty and selects the pods of the template.

    Source: pkg/apis/apps/validation/validation.go, ValidatePodTemplateSpecForReplicaSet and its like.
    """
    selector = spec.get("selector")
    if selector is None:
        return
    if not map_at(selector, "matchLabels") and not list_at(selector, "matchExpressions"):
        yield ("selector",), "`selector` is empty: it would select every pod"
        return
    if "template" not in spec:
        return
    labels = map_at(spec, "template", "metadata", "labels")
    if not matches(_filled(selector), {key: "" if text is None else text for key, text in labels.items()}):
        yield ("template", "metadata", "labels"), "the labels of the template are not those that `selector` selects"


def matches_labels(spec: dict[str, Any], _: Place) -> Said:
    """As `matches_template` for a ReplicationController, whose selector is a map of labels.

    Source: pkg/apis/core/validation/validation.go, ValidateReplicationControllerSpec.
    """
    labels = map_at(spec, "template", "metadata", "labels")
    selector = map_at(spec, "selector") or labels  # left out, it is filled with the labels of the template
    if not selector:
        yield ("selector",), "`selector` is missing, and the template has no labels to take it from"
    for key, text in selector.items():
        if labels.get(key) != text and not (text is None and labels.get(key) == ""):
            yield ("template", "metadata", "labels"), "the labels of the template are not those that `selector` selects"
            return


def _filled(selector: Any) -> Any:
    """A selector as Go reads it: a null label is an empty text."""
    wanted = map_at(selector, "matchLabels")
    if None not in wanted.values():
        return selector
    return {**selector, "matchLabels": {key: "" if text is None else text for key, text in wanted.items()}}


RULES: Final[Mapping[str, Validator]] = {
    "core.v1.NodeSelectorTerm": node_term,
    "meta.v1.LabelSelectorRequirement": requirement,
}
