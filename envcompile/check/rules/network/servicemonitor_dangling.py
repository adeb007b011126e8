"""The rule `servicemonitor-dangling`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at, maps_at, strings_at, text_at, texts_at
from envcompile.check.rule import Rule
from envcompile.check.selectors import matches, spell
from envcompile.check.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.model import Resource


def _monitor(inputs: CheckInput) -> Iterator[Hit]:
    for monitor in inputs.of_kind("monitoring.coreos.com", "ServiceMonitor"):
        spec = map_at(monitor.value, "spec")
        namespaces = _monitored(monitor)
        watched = [s for s in inputs.of_kind("", "Service") if _is_watched(s.id.namespace, namespaces)]
        selector = spec.get("selector")
        services = [each for each in watched if matches(selector, strings_at(each.value, "metadata", "labels"))]
        if not watched:
            continue  # what it watches is not part of the environment
        if not services:
            what = f"the selector `{spell(selector)}` matches no Service of the environment"
            severity = inputs.unless_operated(monitor.id.namespace, "warning")
            yield Hit(monitor.id, ("spec", "selector"), what, "write labels that the Service itself has", severity)
            continue
        names = {text_at(port, "name") for service in services for _, port in maps_at(service.value, "spec", "ports")}
        for position, endpoint in maps_at(spec, "endpoints"):
            port = text_at(endpoint, "port")
            if port and port not in names:
                what = f"no Service that it selects has a port called `{port}`: nothing is scraped"
                fix = f"{suggestion(port, names)}name a port of the Service `{port}`"
                yield Hit(monitor.id, ("spec", "endpoints", position, "port"), what, fix, value=port)
    for monitor in inputs.of_kind("monitoring.coreos.com", "PodMonitor"):
        selector = map_at(monitor.value, "spec").get("selector")
        namespaces = _monitored(monitor)
        found = [p for p in inputs.pods if _is_watched(p.namespace, namespaces) and matches(selector, p.labels)]
        if not found:
            what = f"the selector `{spell(selector)}` matches no pods of the environment"
            severity = inputs.unless_operated(monitor.id.namespace, "warning")
            yield Hit(monitor.id, ("spec", "selector"), what, "write labels of the pod template", severity)


def _monitored(monitor: Resource) -> set[str] | None:
    """The namespaces that a monitor looks into; None for all."""
    selector = map_at(monitor.value, "spec", "namespaceSelector")
    if selector.get("any") is True:
        return None
    return set(texts_at(selector, "matchNames")) or {monitor.id.namespace}


def _is_watched(namespace: str, namespaces: set[str] | None) -> bool:
    return namespaces is None or namespace in namespaces


RULE: Final = Rule(
    "servicemonitor-dangling",
    "warning",
    "A ServiceMonitor or PodMonitor selects something of the environment, by a port that exists.",
    "prometheus-operator, API of ServiceMonitor; kube-linter dangling-servicemonitor",
    _monitor,
    why="A monitor that selects nothing scrapes nothing: alerts on its metrics stay silent.",
    fix="Write labels of the Service and the name of a port that it has.",
    links=("https://prometheus-operator.dev/docs/api-reference/api/",),
    fires="""\
apiVersion: v1
kind: Service
metadata: {name: api, labels: {app: api}}
spec:
  ports:
  - {port: 9090}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: api}
spec:
  selector: {matchLabels: {app: apis}}
""",
    silent="""\
apiVersion: v1
kind: Service
metadata: {name: api, labels: {app: api}}
spec:
  ports:
  - {port: 9090}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
""",
)
