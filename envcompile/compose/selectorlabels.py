"""Labels that go into selectors, too: on every resource, pod template, and whatever selects pods.

Source: kustomize's `commonLabels` and `includeSelectors`, api/internal/konfig/builtinpluginconsts/commonlabels.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from envcompile.model import ResourceId

    Change = Callable[[dict[str, Any]], dict[str, Any]]

_ALL: Final = "[]"
"""Every item of a list."""
_POD: Final = ("spec", "template")
_CRON_JOB: Final = ("spec", "jobTemplate", "spec")
_TERMS: Final = ("podAffinity", "podAntiAffinity")


class _Place(NamedTuple):
    """Where labels stand; `makes` tells whether they are put there when there are none yet."""

    path: tuple[str, ...]
    makes: bool


def _of_pods(template: tuple[str, ...]) -> tuple[_Place, ...]:
    """What a pod template says of its own and of other pods."""
    spec = (*template, "spec")
    found = [_Place((*template, "metadata", "labels"), makes=True)]
    for term in _TERMS:
        preferred = (*spec, "affinity", term, "preferredDuringSchedulingIgnoredDuringExecution", _ALL)
        required = (*spec, "affinity", term, "requiredDuringSchedulingIgnoredDuringExecution", _ALL)
        found += [
            _Place((*preferred, "podAffinityTerm", "labelSelector", "matchLabels"), makes=False),
            _Place((*required, "labelSelector", "matchLabels"), makes=False),
        ]
    spread = (*spec, "topologySpreadConstraints", _ALL, "labelSelector", "matchLabels")
    return (*found, _Place(spread, makes=False))


_SELECTOR: Final = ("spec", "selector", "matchLabels")
_WORKLOAD: Final = (_Place(_SELECTOR, makes=True), *_of_pods(_POD))
_PEERS: Final = tuple(
    _Place(("spec", way, _ALL, end, _ALL, "podSelector", "matchLabels"), makes=False)
    for way, end in (("ingress", "from"), ("egress", "to"))
)
_PLACES: Final[Mapping[tuple[str, str], tuple[_Place, ...]]] = {
    ("", "Service"): (_Place(("spec", "selector"), makes=True),),
    ("", "ReplicationController"): (_Place(("spec", "selector"), makes=True), *_of_pods(_POD)),
    ("apps", "Deployment"): _WORKLOAD,
    ("apps", "ReplicaSet"): _WORKLOAD,
    ("apps", "DaemonSet"): _WORKLOAD,
    ("apps", "StatefulSet"): (
        *_WORKLOAD,
        _Place(("spec", "volumeClaimTemplates", _ALL, "metadata", "labels"), makes=True),
    ),
    ("batch", "Job"): (_Place(_SELECTOR, makes=False), *_of_pods(_POD)),
    ("batch", "CronJob"): (
        _Place((*_CRON_JOB, "selector", "matchLabels"), makes=False),
        _Place(("spec", "jobTemplate", "metadata", "labels"), makes=True),
        *_of_pods((*_CRON_JOB, "template")),
    ),
    ("policy", "PodDisruptionBudget"): (_Place(_SELECTOR, makes=False),),
    ("networking.k8s.io", "NetworkPolicy"): (
        _Place(("spec", "podSelector", "matchLabels"), makes=False),
        *_PEERS,
    ),
}
SELECTING: Final = frozenset(
    kind for kind, places in _PLACES.items() if places[0].makes and "selector" in places[0].path
)
"""Kinds, by group and name, in whose selectors labels are put whether they have some or not."""
_ITSELF: Final = _Place(("metadata", "labels"), makes=True)


def with_selector_labels(resource: ResourceId, value: dict[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """The object with labels wherever kustomize puts those that go into selectors; the same one where it has all.

    Args:
        resource: its identity.
        value: the object.
        labels: what is put there.
    """
    return _everywhere(resource, value, lambda held: held if labels.items() <= held.items() else {**held, **labels})


def without_selector_labels(resource: ResourceId, value: dict[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """The object without labels that stand there; a map that only had these is left out where it would be made.

    Args:
        resource: its identity.
        value: the object.
        labels: what is taken away.
    """

    def less(held: dict[str, Any]) -> dict[str, Any]:
        left = {key: item for key, item in held.items() if key not in labels or item != labels[key]}
        return left if len(left) < len(held) else held

    return _everywhere(resource, value, less, drops=True)


def _everywhere(resource: ResourceId, value: dict[str, Any], change: Change, *, drops: bool = False) -> dict[str, Any]:
    for place in (_ITSELF, *_PLACES.get((resource.group, resource.kind), ())):
        value = _at(value, place.path, change, makes=place.makes and not drops, drops=drops and place.makes)
    return value


def _at(value: Any, path: Sequence[str], change: Change, *, makes: bool, drops: bool) -> Any:
    """A value with what stands at a path changed; the same one where there is nothing, or nothing new."""
    if not path:
        return change(value) if type(value) is dict else value
    head, *rest = path
    if head == _ALL:
        if type(value) is not list:
            return value
        items = [_at(item, rest, change, makes=makes, drops=drops) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if type(value) is not dict:
        return value
    held = value.get(head)
    if held is None:
        # No list is made: nobody would know of what.
        if not makes or _ALL in rest:
            return value
        held = {}
    changed = _at(held, rest, change, makes=makes, drops=drops)
    if changed is held:
        return value
    if drops and changed == {}:
        return {key: item for key, item in value.items() if key != head}
    return {**value, head: changed}
