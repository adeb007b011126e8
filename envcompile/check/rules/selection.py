"""Workloads, Services, policies and budgets find their pods by labels: do they, and only theirs?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.pods import SERVING
from envcompile.check.reading import map_at, maps_at
from envcompile.check.rule import Rule
from envcompile.check.selectors import matches, spell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import Scene


def _selecting(kind: str) -> bool:
    return kind in SERVING


def _mismatch(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        if not _selecting(pods.kind):
            continue
        selector = map_at(pods.resource.value, "spec").get("selector")
        if pods.kind == "ReplicationController":
            selector = {"matchLabels": selector} if selector else {"matchLabels": pods.labels}
        if selector and not matches(selector, pods.labels):
            yield Hit(
                pods.resource.id,
                ("spec", "selector"),
                f"the selector `{spell(selector)}` does not match the labels of the workload's own pod template",
                "give the pod template the labels that the selector asks for",
            )


def _overlap(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        if not _selecting(pods.kind) or pods.kind == "ReplicationController":
            continue
        selector = map_at(pods.resource.value, "spec").get("selector")
        if not selector:
            continue
        for other in scene.selected(pods.namespace, selector):
            if other.resource.id != pods.resource.id:
                yield Hit(
                    pods.resource.id,
                    ("spec", "selector"),
                    f"the selector `{spell(selector)}` matches the pods of {other.name}, too: autoscalers and"
                    " `kubectl` count them as this workload's",
                    "add a label that only this workload's pods have to its selector and its pod template",
                    value=other.name,
                )


def _spread(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        for position, constraint in maps_at(pods.spec, "topologySpreadConstraints"):
            selector = constraint.get("labelSelector")
            if not matches(selector, pods.labels):
                said = f"the selector `{spell(selector)}`" if selector else "a topology spread without selector"
                yield Hit(
                    pods.resource.id,
                    (*pods.spec_pointer, "topologySpreadConstraints", position, "labelSelector"),
                    f"{said} does not match the pods themselves, so they are not spread",
                    "write labels of the pod template",
                )


RULES: Final = (
    Rule(
        "selector-mismatch",
        "error",
        "A workload's selector matches the labels of its own pod template; the API server refuses anything else.",
        "kubernetes.io, Deployments: Selector; kube-linter mismatching-selector, kube-score, Popeye POP-508",
        _mismatch,
        alone=True,
    ),
    Rule(
        "selector-overlap",
        "warning",
        "No workload's selector matches the pods of another one, or autoscalers and rollouts count the wrong pods.",
        'kubernetes.io, Deployments: Selector ("do not overlap")',
        _overlap,
    ),
    Rule(
        "spread-selector",
        "warning",
        "A topology spread constraint selects the pods that bear it, or it spreads nothing.",
        "kubernetes.io, Pod Topology Spread Constraints; kube-score host-podantiaffinity",
        _spread,
        alone=True,
    ),
)
