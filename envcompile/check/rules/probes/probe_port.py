"""The rule `probe-port`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import maps_at, scalar_at, text_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


_PROBES: Final = ("startupProbe", "livenessProbe", "readinessProbe")


def _port(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
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


RULE: Final = Rule(
    "probe-port",
    "error",
    "A probe asks a port that its container lists.",
    "kubernetes.io, Configure Probes: named ports; kube-linter liveness-port, readiness-port",
    _port,
    alone=True,
    why=(
        "A probe of a port name that the container does not list fails always: the container is never ready, or "
        "restarted for ever."
    ),
    fix="Write a port of the container, or add this one to `ports`.",
    links=("https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    ports:
    - {name: http, containerPort: 8080}
    livenessProbe: {httpGet: {port: web}}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    ports:
    - {name: http, containerPort: 8080}
    livenessProbe: {httpGet: {port: http}}
""",
)
