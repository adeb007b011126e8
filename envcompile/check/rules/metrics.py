"""Metrics that autoscalers ask for, and the rules of the Prometheus adapter that serve them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile import yamlio
from envcompile.check.finding import Hit
from envcompile.check.reading import map_at, maps_at, strings_at, text_at
from envcompile.check.rule import Rule
from envcompile.check.rules.references import suggestion
from envcompile.errors import EnvcError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import Scene
    from envcompile.model import Resource

_SERIES: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_GROUP: Final = re.compile(r"\$\{?(\w+)\}?")
_LISTS: Final = ("rules", "externalRules")


class Adapter(NamedTuple):
    """The configuration of a Prometheus adapter: an entry of a ConfigMap."""

    resource: Resource
    key: str
    value: dict[str, Any]


def adapters(scene: Scene) -> list[Adapter]:
    """Every configuration of the Prometheus adapter in the environment."""
    found = []
    for config in scene.of_kind("", "ConfigMap"):
        for key, text in strings_at(config.value, "data").items():
            # Most ConfigMaps are something else, and reading YAML is slow.
            if "seriesQuery" not in text or not any(name in text for name in ("rules:", "externalRules:")):
                continue
            try:
                [value] = yamlio.load_all(text.encode(), f"{config.id.short} {key}")
            except (EnvcError, ValueError):
                continue
            if isinstance(value, dict) and any(name in value for name in _LISTS):
                found.append(Adapter(config, key, value))
    return found


def served(adapter: Adapter, section: str) -> set[str] | None:
    """The names of the metrics that a section serves; None when a rule takes its series by a pattern."""
    names: set[str] = set()
    for _, rule in maps_at(adapter.value, section):
        series = _SERIES.match(text_at(rule, "seriesQuery"))
        if series is None:
            return None
        pattern, template = text_at(rule, "name", "matches"), text_at(rule, "name", "as")
        try:
            matched = re.search(pattern or ".*", series[0])
        except re.error:
            return None
        if matched is None:
            continue
        if not template:
            template = "$1" if matched.re.groups else "$0"
        names.add("".join(_filled(template, matched)))
    return names


def _filled(template: str, matched: re.Match[str]) -> Iterator[str]:
    """A name with `$1` and `${1}` filled in, as Go's regexp.Expand does it."""
    end = 0
    for found in _GROUP.finditer(template):
        yield template[end : found.start()]
        name, end = found[1], found.end()
        if name.isdigit():
            yield (matched[int(name)] or "") if int(name) <= matched.re.groups else ""
        else:
            yield matched.groupdict().get(name) or ""
    yield template[end:]


def _shape(scene: Scene) -> Iterator[Hit]:
    for adapter in adapters(scene):
        for section in _LISTS:
            value = adapter.value.get(section)
            if value is not None and not isinstance(value, list):
                yield Hit(
                    adapter.resource.id,
                    ("data", adapter.key),
                    f"`{section}` of the Prometheus adapter's configuration is no list: the adapter does not start, and"
                    " none of its metrics exist",
                    f"write the rules as a list right under `{section}:`; external ones go under `externalRules:`",
                    value=section,
                )


def _unserved(scene: Scene) -> Iterator[Hit]:
    known = adapters(scene)
    if not known:
        return  # the adapter is configured elsewhere: nothing can be said
    names: dict[str, set[str] | None] = {}
    for section in _LISTS:
        of_section = [served(adapter, section) for adapter in known]
        names[section] = None if None in of_section else {name for each in of_section for name in each or ()}
    for scaler in scene.of_kind("autoscaling", "HorizontalPodAutoscaler"):
        for position, metric in maps_at(scaler.value, "spec", "metrics"):
            for field, section in (("pods", "rules"), ("object", "rules"), ("external", "externalRules")):
                source = map_at(metric, field)
                name = text_at(source, "metric", "name")
                there = names[section]
                if not name or there is None or name in there:
                    continue
                yield Hit(
                    scaler.id,
                    ("spec", "metrics", position, field, "metric", "name"),
                    f"no rule of the Prometheus adapter ({known[0].resource.id.short}) serves the {field} metric"
                    f" `{name}`: the autoscaler cannot read it",
                    f"{suggestion(name, there)}add a rule of that name under `{section}:`",
                    value=name,
                )
            described = map_at(metric, "object", "describedObject")
            if described:
                yield from _described(scene, scaler, position, described)


def _described(scene: Scene, scaler: Resource, position: int, described: dict[str, Any]) -> Iterator[Hit]:
    group = text_at(described, "apiVersion").rpartition("/")[0]
    kind, name = text_at(described, "kind"), text_at(described, "name")
    namespace = scaler.id.namespace if scene.api.is_namespaced(group, kind) is not False else ""
    if name and scene.named(group, kind, namespace, name) is None:
        yield Hit(
            scaler.id,
            ("spec", "metrics", position, "object", "describedObject", "name"),
            f"its namespace has no {kind} `{name}`, whose metric the autoscaler should read",
            f"add the {kind}, or name another object",
            value=name,
        )


RULES: Final = (
    Rule(
        "adapter-rules",
        "error",
        "The rules of the Prometheus adapter are lists: `rules`, `externalRules`.",
        "kubernetes-sigs/prometheus-adapter, docs/config.md",
        _shape,
        alone=True,
    ),
    Rule(
        "custom-metric-unserved",
        "warning",
        "A metric that an autoscaler asks for is served by a rule of the Prometheus adapter, of an object that exists.",
        "kubernetes-sigs/prometheus-adapter, docs/config.md; kubernetes.io, HPA Walkthrough: custom metrics",
        _unserved,
    ),
)
