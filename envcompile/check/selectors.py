"""Label selectors: which labels they match, and the pods they find without asking every pod."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.check.reading import map_at, maps_at, strings_at, text_at, texts_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envcompile.check.pods import Pods


def matches(selector: Any, labels: Mapping[str, str]) -> bool:
    """Tell whether a LabelSelector matches labels; an empty one matches everything, none at all nothing.

    Source: k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go, LabelSelectorAsSelector.
    """
    if not isinstance(selector, dict):
        return False
    wanted = map_at(selector, "matchLabels")
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    for _, expression in maps_at(selector, "matchExpressions"):
        key, values = text_at(expression, "key"), texts_at(expression, "values")
        match text_at(expression, "operator"):
            case "In":
                if labels.get(key) not in values:
                    return False
            case "NotIn":
                if labels.get(key) in values:
                    return False
            case "Exists":
                if key not in labels:
                    return False
            case "DoesNotExist":
                if key in labels:
                    return False
            case _:
                return False
    return True


def is_empty(selector: Any) -> bool:
    """Tell whether a LabelSelector asks for nothing and so matches everything."""
    return isinstance(selector, dict) and not selector.get("matchLabels") and not selector.get("matchExpressions")


def spell(selector: Any) -> str:
    """A LabelSelector as `kubectl -l` writes it."""
    parts = [f"{key}={value}" for key, value in strings_at(selector, "matchLabels").items()]
    for _, expression in maps_at(selector, "matchExpressions"):
        key, values = text_at(expression, "key"), ",".join(texts_at(expression, "values"))
        match text_at(expression, "operator"):
            case "In":
                parts.append(f"{key} in ({values})")
            case "NotIn":
                parts.append(f"{key} notin ({values})")
            case "Exists":
                parts.append(key)
            case _:
                parts.append(f"!{key}")
    return ",".join(parts)


class PodIndex:
    """The pods of an environment by namespace and label, so that a selector asks only those that may match."""

    __slots__ = ("_by_label", "_by_namespace", "_selected")

    def __init__(self, pods: Iterable[Pods]) -> None:
        self._selected: dict[tuple[str, str], tuple[Pods, ...]] = {}
        self._by_namespace: dict[str, list[Pods]] = {}
        self._by_label: dict[tuple[str, str, str], list[Pods]] = {}
        for each in pods:
            self._by_namespace.setdefault(each.namespace, []).append(each)
            for key, value in each.labels.items():
                self._by_label.setdefault((each.namespace, key, value), []).append(each)

    def selected(self, namespace: str, selector: Any) -> tuple[Pods, ...]:
        """The pods of a namespace that a LabelSelector matches: one that many ask with is looked at once."""
        key = (namespace, repr(selector))
        if key not in self._selected:
            self._selected[key] = tuple(self._matching(namespace, selector))
        return self._selected[key]

    def _matching(self, namespace: str, selector: Any) -> list[Pods]:
        candidates = self._by_namespace.get(namespace, [])
        for key, value in strings_at(selector, "matchLabels").items():
            having = self._by_label.get((namespace, key, value), [])
            if len(having) < len(candidates):
                candidates = having
        return [pods for pods in candidates if matches(selector, pods.labels)]
