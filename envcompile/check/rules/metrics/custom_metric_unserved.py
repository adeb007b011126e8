"""The rule `custom-metric-unserved`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.adapters import LISTS, adapters
from envcompile.check.finding import Hit
from envcompile.check.reading import map_at, maps_at, text_at
from envcompile.check.rule import Rule
from envcompile.check.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.adapters import Adapter
    from envcompile.check.check_input import CheckInput
    from envcompile.model import Resource


_SERIES: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


_GROUP: Final = re.compile(r"\$\{?(\w+)\}?")


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


def _unserved(inputs: CheckInput) -> Iterator[Hit]:
    known = adapters(inputs)
    if not known:
        return  # the adapter is configured elsewhere: nothing can be said
    names: dict[str, set[str] | None] = {}
    for section in LISTS:
        of_section = [served(adapter, section) for adapter in known]
        names[section] = None if None in of_section else {name for each in of_section for name in each or ()}
    for scaler in inputs.of_kind("autoscaling", "HorizontalPodAutoscaler"):
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
                yield from _described(inputs, scaler, position, described)


def _described(inputs: CheckInput, scaler: Resource, position: int, described: dict[str, Any]) -> Iterator[Hit]:
    group = text_at(described, "apiVersion").rpartition("/")[0]
    kind, name = text_at(described, "kind"), text_at(described, "name")
    namespace = scaler.id.namespace if inputs.api.is_namespaced(group, kind) is not False else ""
    if name and inputs.named(group, kind, namespace, name) is None:
        yield Hit(
            scaler.id,
            ("spec", "metrics", position, "object", "describedObject", "name"),
            f"its namespace has no {kind} `{name}`, whose metric the autoscaler should read",
            f"add the {kind}, or name another object",
            value=name,
        )


RULE: Final = Rule(
    "custom-metric-unserved",
    "warning",
    "A metric that an autoscaler asks for is served by a rule of the Prometheus adapter, of an object that exists.",
    "kubernetes-sigs/prometheus-adapter, docs/config.md; kubernetes.io, HPA Walkthrough: custom metrics",
    _unserved,
    why="A metric that nobody serves gives the autoscaler no number: it scales by the others only, or not at all.",
    fix="Add a rule for the metric to the adapter, or write the name of one that it serves.",
    links=(
        "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale-walkthrough/#autoscaling-on-multiple-metrics-and-custom-metrics",
    ),
    fires="""\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  maxReplicas: 10
  metrics:
  - type: Pods
    pods:
      metric: {name: http_request_per_second}
      target: {type: AverageValue, averageValue: '100'}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: adapter-config}
data:
  config.yaml: |
    rules:
    - seriesQuery: 'http_requests_total{namespace!="",pod!=""}'
      name: {matches: "^(.*)_total$", as: "${1}_per_second"}
    - seriesQuery: 'requests_per_second{ingress!=""}'
""",
    silent="""\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  maxReplicas: 10
  metrics:
  - type: Pods
    pods:
      metric: {name: http_requests_per_second}
      target: {type: AverageValue, averageValue: '100'}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: adapter-config}
data:
  config.yaml: |
    rules:
    - seriesQuery: 'http_requests_total{namespace!="",pod!=""}'
      name: {matches: "^(.*)_total$", as: "${1}_per_second"}
    - seriesQuery: 'requests_per_second{ingress!=""}'
""",
)
