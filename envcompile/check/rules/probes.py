"""How the kubelet finds out that a container is ready, alive and started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at, maps_at, scalar_at, text_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import Scene
    from envcompile.check.pods import Container, Pods
    from envcompile.model import Resource

_PROBES: Final = ("startupProbe", "livenessProbe", "readinessProbe")
_HANDLERS: Final = ("httpGet", "tcpSocket", "grpc", "exec")


def _answering(pods: Pods, services: list[Resource]) -> list[Container]:
    """The containers that answer for Services: those with a port that one leads to, else all that keep running."""
    wanted = {
        scalar_at(port, "targetPort") or scalar_at(port, "port")
        for service in services
        for _, port in maps_at(service.value, "spec", "ports")
    }
    found = [
        container
        for container in pods.running
        if any(
            scalar_at(port, "name") in wanted or scalar_at(port, "containerPort") in wanted
            for _, port in maps_at(container.value, "ports")
        )
    ]
    return found or [container for container in pods.containers if container.field == "containers"]


def _readiness(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        services = scene.services_of(pods) if pods.serves else []
        if not services:
            continue
        for container in _answering(pods, services):
            if not map_at(container.value, "readinessProbe"):
                yield Hit(
                    pods.resource.id,
                    (*container.pointer, "readinessProbe"),
                    f"container `{container.name}` has no readinessProbe: {services[0].id.short} sends it requests"
                    " before it can answer",
                    "write a `readinessProbe` that succeeds when the container can serve requests",
                )


def _liveness(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        for container in pods.running if pods.serves else ():
            if not map_at(container.value, "livenessProbe"):
                yield Hit(
                    pods.resource.id,
                    (*container.pointer, "livenessProbe"),
                    f"container `{container.name}` has no livenessProbe: a deadlock lasts until somebody sees it",
                    "write a `livenessProbe` if the container can hang; one that asks for nothing but itself",
                )


def _identical(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
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


def _port(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        for container in pods.containers:
            ports = [port for _, port in maps_at(container.value, "ports")]
            for probe in _PROBES:
                for handler in ("httpGet", "tcpSocket", "grpc"):
                    port = scalar_at(container.value, probe, handler, "port")
                    if isinstance(port, str) and not port.isdigit():
                        is_known, is_certain = port in {text_at(each, "name") for each in ports}, True
                    elif port is not None and ports and not text_at(container.value, probe, handler, "host"):
                        is_known, is_certain = str(port) in {str(each.get("containerPort")) for each in ports}, False
                    else:
                        continue
                    if not is_known:
                        yield Hit(
                            pods.resource.id,
                            (*container.pointer, probe, handler, "port"),
                            f"`{probe}` of container `{container.name}` asks port `{port}`, which the container does"
                            " not list",
                            "write a port of the container, or add this one to `ports`",
                            # A port need not be listed to be open; a name that is not listed means nothing.
                            None if is_certain else "info",
                            value=port,
                        )


RULES: Final = (
    Rule(
        "readiness-missing",
        "warning",
        "A container behind a Service has a readinessProbe, so that requests reach it when it can answer.",
        "kubernetes.io, Liveness, Readiness, and Startup Probes; kube-linter no-readiness-probe, Popeye POP-104",
        _readiness,
    ),
    Rule(
        "liveness-missing",
        "info",
        "A container that can hang has a livenessProbe.",
        "kubernetes.io, Liveness, Readiness, and Startup Probes; Polaris livenessProbeMissing",
        _liveness,
        alone=True,
    ),
    Rule(
        "probes-identical",
        "warning",
        "The livenessProbe asks for less than the readinessProbe, or is more patient.",
        "kube-score pod-probes-identical, Kyverno ensure-probes-different",
        _identical,
        alone=True,
    ),
    Rule(
        "probe-port",
        "error",
        "A probe asks a port that its container lists.",
        "kubernetes.io, Configure Probes: named ports; kube-linter liveness-port, readiness-port",
        _port,
        alone=True,
    ),
)
