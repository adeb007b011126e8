"""What is refused of what a pod says about where it runs, and of the labels of its template.

Source: pkg/apis/core/validation/validation.go of kubernetes/kubernetes; each function names its own there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.meta import free_notes, labels
from envcompile.check.api.names import label_value
from envcompile.check.reading import list_at, map_at, maps_at, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.refusal import Place, Said, Validator

_MERGED: Final = 34
"""The version from which on the keys of a constraint are merged as those of affinity have been before.

Source: pkg/features/kube_features.go, MatchLabelKeysInPodTopologySpreadSelectorMerge.
"""


def template(value: dict[str, Any], _: Place) -> Said:
    """Labels and annotations of a template; source: ValidatePodTemplateSpec."""
    meta = map_at(value, "metadata")
    yield from labels(meta, ("metadata",))
    yield from free_notes(meta, ("metadata",))


def toleration(value: dict[str, Any], _: Place) -> Said:
    """Operator, value and effect; source: ValidateTolerations."""
    operator = value.get("operator")
    if not value.get("key") and operator != "Exists":
        yield ("operator",), "`operator` is not Exists though `key` is empty, which means every taint"
    if value.get("tolerationSeconds") is not None and value.get("effect") != "NoExecute":
        yield ("effect",), "`effect` is not NoExecute though `tolerationSeconds` is there"
    text = value.get("value")
    if operator in {None, "", "Equal"} and (what := label_value(text)):
        yield ("operator",), f"the `value` that `operator` compares with {what}"
    elif operator == "Exists" and text:
        yield ("operator",), "`operator: Exists` compares with no `value`"
    elif operator in {"Gt", "Lt"}:
        yield ("operator",), f"`operator: {operator}` is not switched on in Kubernetes"


def spread(value: dict[str, Any], place: Place) -> Said:
    """Domains and keys; source: validateTopologySpreadConstraints."""
    if value.get("minDomains") is not None and value.get("whenUnsatisfiable") == "ScheduleAnyway":
        yield ("minDomains",), "`minDomains` needs `whenUnsatisfiable: DoNotSchedule`"
    keys = list_at(value, "matchLabelKeys")
    if keys and value.get("labelSelector") is None:
        yield ("matchLabelKeys",), "`matchLabelKeys` needs a `labelSelector`"
    if place.release >= _MERGED:
        yield from _merged_twice(value, place)
        return
    selector = value.get("labelSelector")
    used = {text_at(item, "key") for _, item in maps_at(selector, "matchExpressions")} | {
        *map_at(selector, "matchLabels")
    }
    for index, key in enumerate(keys):
        if isinstance(key, str) and key in used:
            yield ("matchLabelKeys", index), f"`{key}` is in `labelSelector`, too"


def affinity_term(value: dict[str, Any], place: Place) -> Said:
    """Keys of labels that the pods share; source: ValidateMatchLabelKeysAndMismatchLabelKeys."""
    keys, others = list_at(value, "matchLabelKeys"), list_at(value, "mismatchLabelKeys")
    for field, given in (("matchLabelKeys", keys), ("mismatchLabelKeys", others)):
        if given and value.get("labelSelector") is None:
            yield (field,), f"`{field}` needs a `labelSelector`"
    for index, key in enumerate(keys):
        if key in others:
            yield ("matchLabelKeys", index), f"`{key}` is in `mismatchLabelKeys`, too"
    yield from _merged_twice(value, place)


def _merged_twice(value: dict[str, Any], place: Place) -> Said:
    """A shared key that the selector has already.

    Of a Pod the server first puts the keys into `matchExpressions`, each that is among the pod's labels; in a template
    it leaves the selector as it is, and only expressions count. Source: ValidateMatchLabelKeysAndMismatchLabelKeys;
    pkg/registry/core/pod/strategy.go, applyLabelKeysToLabelSelector.
    """
    shared, selector = list_at(value, "matchLabelKeys"), value.get("labelSelector")
    if not shared or selector is None:
        return
    labels = map_at(place.root, "metadata", "labels") if place.kind == "Pod" else {}
    used = {*map_at(selector, "matchLabels")}
    expressions = [text_at(item, "key") for _, item in maps_at(selector, "matchExpressions")]
    for key in [*expressions, *(key for key in shared if isinstance(key, str) and key in labels)]:
        if key in used and key in shared:
            yield ("matchLabelKeys", shared.index(key)), f"`{key}` is in `labelSelector`, too"
        used.add(key)


RULES: Final[Mapping[str, Validator]] = {
    "core.v1.PodAffinityTerm": affinity_term,
    "core.v1.PodTemplateSpec": template,
    "core.v1.Toleration": toleration,
    "core.v1.TopologySpreadConstraint": spread,
}
