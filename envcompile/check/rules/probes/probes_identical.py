"""The rule `probes-identical`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


_HANDLERS: Final = ("httpGet", "tcpSocket", "grpc", "exec")


def _identical(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        for container in pods.running:
            liveness, readiness = (map_at(container.value, name) for name in ("livenessProbe", "readinessProbe"))
            if not liveness or _handler(liveness) != _handler(readiness):
                continue
            if _patience(liveness) <= _patience(readiness):
                yield Hit(
                    pods.resource.id,
                    (*container.pointer, "livenessProbe"),
                    f"the liveness and readiness probes of container `{container.name}` are the same: what should"
                    " take it out of the Service restarts it",
                    "give the livenessProbe an endpoint of its own, or a higher `failureThreshold`",
                )


def _handler(probe: dict[str, Any]) -> dict[str, Any]:
    return {name: probe[name] for name in _HANDLERS if name in probe}


def _patience(probe: dict[str, Any]) -> int:
    """Seconds of failure after which a probe acts; the defaults are those of the API."""
    period, threshold = probe.get("periodSeconds", 10), probe.get("failureThreshold", 3)
    return period * threshold if isinstance(period, int) and isinstance(threshold, int) else 0


RULE: Final = Rule(
    "probes-identical",
    "warning",
    "The livenessProbe asks for less than the readinessProbe, or is more patient.",
    "kube-score pod-probes-identical, Kyverno ensure-probes-different",
    _identical,
    alone=True,
    why="What should only take a slow pod out of the Service restarts it, and makes the load of the others worse.",
    fix="Give the livenessProbe an endpoint of its own, or a higher `failureThreshold`.",
    links=("https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    livenessProbe: {httpGet: {path: /ready, port: 8080}}
    readinessProbe: {httpGet: {path: /ready, port: 8080}}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    livenessProbe: {httpGet: {path: /health, port: http}}
    readinessProbe: {httpGet: {path: /ready, port: 8080}}
""",
)
