"""What Helm leaves in the manifests it renders, which nothing reads once Helm is gone.

Sources: helm.sh, Chart Hooks (`helm.sh/hook`) and Labels and Annotations (`helm.sh/chart`,
`app.kubernetes.io/managed-by`, and `chart`, `heritage`, `release` before them); `meta.helm.sh/*` are Helm's marks of
ownership on what it has installed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.kubernetes.clustermade import map_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

HOOK: Final = "helm.sh/hook"
_TESTS: Final = frozenset({"test", "test-success", "test-failure"})
_ANNOTATIONS: Final = ("meta.helm.sh/release-name", "meta.helm.sh/release-namespace")
_VERSIONED: Final = re.compile(r".+-v?\d+\.\d+.*")
"""A chart's name with its version, which changes with every release."""
_SHOWN: Final = 5


class Leftovers(NamedTuple):
    """The objects without what Helm left, and sentences about what that is."""

    kept: tuple[tuple[int, dict[str, Any]], ...]
    """Each with its position among all objects."""
    notes: tuple[str, ...]


def sort_leftovers(values: Iterable[dict[str, Any]], *, cleans: bool) -> Leftovers:
    """Find what Helm left; with `cleans` take it out: tests, labels and annotations, but never what selects pods.

    Hooks that are no tests stay: somebody has to say what becomes of them.
    """
    kept: list[tuple[int, dict[str, Any]]] = []
    tests: list[str] = []
    hooks: list[str] = []
    marks: dict[str, int] = {}
    objects = list(values)
    selected = frozenset(key for value in objects for key in _selected(value))
    for position, value in enumerate(objects):
        name = f"{value.get('kind')}/{map_at(value, 'metadata').get('name')}"
        kinds = {one.strip() for one in str(map_at(value, "metadata", "annotations").get(HOOK, "")).split(",")} - {""}
        if kinds and kinds <= _TESTS:
            tests.append(name)
            if cleans:
                continue
        elif kinds:
            hooks.append(f"{name} ({', '.join(sorted(kinds))})")
        cleaned, found = _without_marks(value, selected)
        for mark in dict.fromkeys(found):
            marks[mark] = marks.get(mark, 0) + 1
        kept.append((position, cleaned if cleans else value))
    return Leftovers(tuple(kept), tuple(_told(tests, hooks, marks, cleans=cleans)))


def _told(tests: list[str], hooks: list[str], marks: Mapping[str, int], *, cleans: bool) -> Iterator[str]:
    parts = [f"{name} of {count} {'object' if count == 1 else 'objects'}" for name, count in sorted(marks.items())]
    if tests:
        parts.append(f"tests of the chart: {_listed(tests)}")
    if parts and cleans:
        yield f"taken out, because only Helm reads it: {'; '.join(parts)}"
    elif parts:
        yield f"Helm left this, `--helm clean` takes it out: {'; '.join(parts)}"
    if hooks:
        yield (
            f"these are hooks, which Argo CD runs as Helm did and `kubectl apply` does not: {_listed(hooks)}; "
            "`--skip` leaves files out, `exclude:` objects"
        )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _selected(value: Any) -> Iterator[str]:
    """The labels by which an object chooses others, of Services and in `matchLabels` wherever they stand."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name in {"matchLabels", "selector"} and isinstance(item, dict):
                yield from item
            yield from _selected(item)
    elif isinstance(value, list):
        for item in value:
            yield from _selected(item)


def _without_marks(value: dict[str, Any], selected: frozenset[str]) -> tuple[dict[str, Any], list[str]]:
    """The object without Helm's labels and annotations, also in pod templates; and their names."""
    found: list[str] = []
    cleaned = _cleaned(value, selected, found)
    return (cleaned if found else value), found


def _cleaned(value: Any, selected: frozenset[str], found: list[str]) -> Any:
    """A value with every `metadata` of it, or of a template in it, cleaned."""
    if not isinstance(value, dict):
        return value
    made: dict[Any, Any] = {}
    for name, item in value.items():
        if name == "metadata" and isinstance(item, dict):
            made[name] = _metadata(item, selected, found)
        elif name in {"spec", "template", "jobTemplate"} and isinstance(item, dict):
            made[name] = _cleaned(item, selected, found)
        else:
            made[name] = item
    return made


def _metadata(metadata: dict[str, Any], selected: frozenset[str], found: list[str]) -> dict[str, Any]:
    kept = dict(metadata)
    for field, is_mark in (("labels", _is_label), ("annotations", _is_annotation)):
        entries = metadata.get(field)
        if not isinstance(entries, dict):
            continue
        gone = [key for key, text in entries.items() if is_mark(key, text, entries) and key not in selected]
        found += [f"{field.removesuffix('s')} {key}" for key in gone]
        left = {key: text for key, text in entries.items() if key not in gone}
        if gone and not left:
            del kept[field]
        elif gone:
            kept[field] = left
    return kept


def _is_label(key: str, text: Any, labels: Mapping[str, Any]) -> bool:
    if key == "helm.sh/chart":
        return True
    if key in {"app.kubernetes.io/managed-by", "heritage"}:
        return text in {"Helm", "Tiller"}
    return key == "chart" and "heritage" in labels and _VERSIONED.fullmatch(str(text)) is not None


def _is_annotation(key: str, _text: Any, _entries: Mapping[str, Any]) -> bool:
    return key in _ANNOTATIONS
