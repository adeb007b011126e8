"""The rule `service-port-mismatch`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import maps_at, scalar_at, text_at
from envcompile.check.rule import Rule
from envcompile.check.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.finding import Severity
    from envcompile.model import Pointer


def _port_mismatch(inputs: CheckInput) -> Iterator[Hit]:
    for service in inputs.of_kind("", "Service"):
        for pods in inputs.behind(service):
            named = {text_at(port, "name"): port for _, _, port in pods.ports() if text_at(port, "name")}
            numbers = {str(port.get("containerPort")) for _, _, port in pods.ports()}
            targets = {str(_target(port)) for _, port in maps_at(service.value, "spec", "ports")}
            # A port need not be listed to be open: beside ports that are, one that is not was left out more often.
            severity: Severity = "warning" if targets.isdisjoint({*numbers, *named}) else "info"
            for position, port in maps_at(service.value, "spec", "ports"):
                target = _target(port)
                pointer: Pointer = ("spec", "ports", position, "targetPort" if "targetPort" in port else "port")
                if isinstance(target, str) and not target.isdigit():
                    if target not in named:
                        yield Hit(
                            service.id,
                            pointer,
                            f"the pods of {pods.name} have no port called `{target}`: nothing answers on this port",
                            f"{suggestion(target, named)}name a container port `{target}`",
                            value=[pods.name, target],
                        )
                elif target is not None and numbers and str(target) not in numbers:
                    yield Hit(
                        service.id,
                        pointer,
                        f"no container of {pods.name} lists the port {target}",
                        f"write one of {', '.join(sorted(numbers))}, or add {target} to the container's `ports`",
                        severity,
                        value=[pods.name, target],
                    )


def _target(port: dict[str, Any]) -> int | str | None:
    """The port of the pods that a port of a Service leads to."""
    return scalar_at(port, "targetPort") or scalar_at(port, "port")


RULE: Final = Rule(
    "service-port-mismatch",
    "error",
    "A Service leads to a port that its pods have.",
    "kubernetes.io, Service: Port definitions; Popeye POP-1106",
    _port_mismatch,
    why="A port name that no container has leads nowhere; a number that none lists is probably wrong.",
    fix="Write a port of the pods as `targetPort`, or add the port to the container.",
    links=("https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api, labels: {app: api}}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    ports:
    - {name: http, containerPort: 8080}
---
apiVersion: v1
kind: Service
metadata: {name: api}
spec:
  selector: {app: api}
  ports:
  - {port: 80, targetPort: https}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api, labels: {app: api}}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    ports:
    - {name: http, containerPort: 8080}
---
apiVersion: v1
kind: Service
metadata: {name: api}
spec:
  selector: {app: api}
  ports:
  - {port: 80, targetPort: http}
""",
)
