"""The rule `label-values`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at, text_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.check.check_input import CheckInput
    from envcompile.model import Pointer, ResourceId


_LABEL_VALUE: Final = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")


_LABEL_KEY: Final = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*/)?"
    r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
)


_LEFT_OVER: Final = re.compile(
    r"\{\{.*?\}\}|\$\{\{?[^}]*\}|\bREPLACE[_-]?ME\b|\bCHANGE[_-]?ME\b|<no value>|<none>", re.IGNORECASE
)


def _labels(inputs: CheckInput) -> Iterator[Hit]:
    for resource in inputs.resources:
        yield from _label_map(resource.id, ("metadata", "labels"), map_at(resource.value, "metadata", "labels"))
        name = resource.id.name
        if _is_left_over(name):
            what = f"the name `{name}` holds what a template should have filled in"
            yield Hit(resource.id, ("metadata", "name"), what, "fill it in")
    for pods in inputs.pods:
        if pods.pointer:
            pointer = (*pods.pointer, "metadata", "labels")
            yield from _label_map(pods.resource.id, pointer, map_at(pods.template, "metadata", "labels"))
        for container in pods.containers:
            image = text_at(container.value, "image")
            if _is_left_over(image):
                what = f"the image of container `{container.name}` holds what a template should have filled in"
                yield Hit(pods.resource.id, (*container.pointer, "image"), what, "fill it in")


@lru_cache(maxsize=4096)
def _is_left_over(text: str) -> bool:
    """Tell whether a text holds what a template should have filled in: environments have most texts in common."""
    return _LEFT_OVER.search(text) is not None


@lru_cache(maxsize=4096)
def _is_label(key: str, value: str) -> bool:
    """Tell whether nothing is wrong with a label: the same ones stand on many objects."""
    is_formed = _LABEL_VALUE.fullmatch(value) is not None and _LABEL_KEY.fullmatch(key) is not None
    return is_formed and not _is_left_over(value)


def _label_map(identity: ResourceId, pointer: Pointer, labels: Mapping[str, object]) -> Iterator[Hit]:
    for key, value in labels.items():
        if not isinstance(value, str) or _is_label(key, value):
            continue
        if _is_left_over(value):
            what, fix = f"the label {key} holds what a template should have filled in", "fill it in"
        elif _LABEL_VALUE.fullmatch(value) is None:
            what = f"the value of the label {key} is none that the API server takes"
            fix = "write at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends"
        else:
            what = f"`{key}` is no name of a label"
            fix = "write `prefix/name` or `name` of letters, digits, `-`, `_` and `.`"
        yield Hit(identity, (*pointer, key), what, fix)


RULE: Final = Rule(
    "label-values",
    "error",
    "Names, labels and images are complete and such as the API server takes.",
    "kubernetes.io, Labels and Selectors: Syntax and character set; kube-score label-values",
    _labels,
    alone=True,
    why="The API server refuses a label that breaks its syntax; a placeholder that nobody filled in selects nothing.",
    fix="Fill it in, with at most 63 letters, digits, `-`, `_` and `.`.",
    links=("https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set",),
    fires="""\
apiVersion: v1
kind: ConfigMap
metadata: {name: api, labels: {version: "{{ .Values.version }}"}}
""",
    silent="""\
apiVersion: v1
kind: ConfigMap
metadata: {name: api, labels: {version: v1.4.2}}
""",
)
