"""The rule `duplicate-ports`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import list_at, maps_at, scalar_at, text_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _duplicate_ports(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        numbers: dict[tuple[Any, str], str] = {}
        for container, position, port in pods.ports():
            number, protocol = scalar_at(port, "containerPort"), text_at(port, "protocol") or "TCP"
            other = numbers.setdefault((number, protocol), container.name)
            names = [text_at(each, "name") for each in list_at(container.value, "ports")[:position]]
            pointer = (*container.pointer, "ports", position)
            if other != container.name:
                what = (
                    f"containers `{other}` and `{container.name}` both listen on port {number}/{protocol} of the pod:"
                    " only one of them can"
                )
                yield Hit(pods.resource.id, (*pointer, "containerPort"), what, "give one of them another port")
            elif text_at(port, "name") and text_at(port, "name") in names:
                what = f"container `{container.name}` has two ports called `{text_at(port, 'name')}`"
                yield Hit(pods.resource.id, (*pointer, "name"), what, "give one of them another name")
    for service in inputs.of_kind("", "Service"):
        seen: set[tuple[str, object]] = set()
        for position, port in maps_at(service.value, "spec", "ports"):
            protocol = text_at(port, "protocol") or "TCP"
            keys = {("name", text_at(port, "name")), (protocol, scalar_at(port, "port"))}
            if keys & seen:
                what = f"the Service has two ports of the name `{text_at(port, 'name')}` or number {port.get('port')}"
                yield Hit(service.id, ("spec", "ports", position), what, "give one of them another name and number")
            seen |= keys


RULE: Final = Rule(
    "duplicate-ports",
    "error",
    "No two containers of a pod listen on one port, and no Service has a port twice.",
    "kubernetes/kubernetes, pkg/apis/core/validation: validateContainerPorts; kube-score container-ports-check",
    _duplicate_ports,
    alone=True,
    why=(
        "Two containers of a pod share its network: the second one cannot listen; a Service with a port twice is "
        "refused."
    ),
    fix="Give one another port.",
    links=("https://kubernetes.io/docs/concepts/services-networking/service/#multi-port-services",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    ports:
    - {containerPort: 8080}
  - name: proxy
    image: proxy:v1
    ports:
    - {containerPort: 8080}
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
