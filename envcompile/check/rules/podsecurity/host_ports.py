"""The rule `host-ports`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.reading import maps_at, number_at
from envcompile.check.rule import Rule
from envcompile.check.standards import Breach, Control, breaking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.pods import Pods


def _host_ports(pods: Pods, _minor: int) -> Iterator[Breach]:
    for container in pods.containers:
        for position, port in maps_at(container.value, "ports"):
            number = number_at(port, "hostPort")
            if number:
                what = (
                    f"container `{container.name}` takes port {number} of its node: one pod a node, past every policy"
                )
                pointer = (*container.pointer, "ports", position, "hostPort")
                yield Breach(pointer, what, "take `hostPort` out and use a Service")


CONTROLS: Final = (Control("host-ports", "hostPorts", "baseline", _host_ports),)

RULE: Final = Rule(
    "host-ports",
    "warning",
    "No container takes a port of its node.",
    "Pod Security Standards: hostPorts; Polaris hostPortSet",
    breaking(CONTROLS),
    alone=True,
    controls=CONTROLS,
    why="A port of the node is open past every policy, and only one pod a node can have it.",
    fix="Take `hostPort` out and use a Service.",
    links=("https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    ports:
    - {containerPort: 8080, hostPort: 8080}
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
    - {containerPort: 8080}
""",
)
