"""The rule `metrics-port`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import text_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


_METRICS_PORTS: Final = frozenset({"metrics", "http-metrics", "prometheus", "monitoring"})


def _metrics_port(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        asked = pods.annotations.get("prometheus.io/port")
        ports = [port for _, _, port in pods.ports()]
        if asked is None or pods.annotations.get("prometheus.io/scrape") != "true" or not ports:
            continue
        due = [str(port.get("containerPort")) for port in ports if text_at(port, "name") in _METRICS_PORTS]
        pointer = (*pods.pointer, "metadata", "annotations", "prometheus.io/port")
        if due and asked not in due:
            what = f"Prometheus is told to scrape port {asked}, but the port called metrics is {due[0]}"
            yield Hit(pods.resource.id, pointer, what, f'write `prometheus.io/port: "{due[0]}"`')
        elif asked not in {str(port.get("containerPort")) for port in ports}:
            what = f"Prometheus is told to scrape port {asked}, which no container lists"
            yield Hit(pods.resource.id, pointer, what, "write the port on which the metrics are served")


RULE: Final = Rule(
    "metrics-port",
    "warning",
    "Prometheus is told the port on which a pod serves its metrics.",
    "Prometheus' example scrape configuration for `prometheus.io/` annotations",
    _metrics_port,
    alone=True,
    why="Without the port Prometheus asks all ports, or the first, and marks the pod as down.",
    fix="Write the annotation `prometheus.io/port` with a port that the pods have.",
    links=("https://github.com/prometheus/prometheus/blob/main/documentation/examples/prometheus-kubernetes.yml",),
    fires="""\
apiVersion: v1
kind: Pod
metadata:
  name: api
  annotations: {prometheus.io/scrape: 'true', prometheus.io/port: '8080'}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    ports:
    - {containerPort: 9090}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata:
  name: api
  annotations: {prometheus.io/scrape: 'true', prometheus.io/port: '9090'}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    ports:
    - {containerPort: 9090}
""",
)
