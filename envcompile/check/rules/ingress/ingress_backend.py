"""The rule `ingress-backend`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at, maps_at, scalar_at, text_at
from envcompile.check.rule import Rule
from envcompile.check.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.model import Pointer, Resource


_NETWORKING: Final = "networking.k8s.io"


_GATEWAY: Final = "gateway.networking.k8s.io"


def _backends(ingress: Resource) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    default = map_at(ingress.value, "spec", "defaultBackend", "service")
    if default:
        yield ("spec", "defaultBackend", "service"), default
    for position, rule in maps_at(ingress.value, "spec", "rules"):
        for place, path in maps_at(rule, "http", "paths"):
            service = map_at(path, "backend", "service")
            if service:
                yield ("spec", "rules", position, "http", "paths", place, "backend", "service"), service


def _backend(inputs: CheckInput) -> Iterator[Hit]:
    for ingress in inputs.of_kind(_NETWORKING, "Ingress"):
        for pointer, backend in _backends(ingress):
            port = map_at(backend, "port")
            if text_at(port, "name") == "use-annotation":
                continue  # the AWS load balancer controller's actions are no Services
            field = "name" if "name" in port else "number"
            yield from _leads_to(
                inputs,
                ingress,
                text_at(backend, "name"),
                (*pointer, "name"),
                scalar_at(port, field),
                (*pointer, "port", field),
            )
    for route in inputs.of_kind(_GATEWAY, "HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute"):
        for position, rule in maps_at(route.value, "spec", "rules"):
            for place, target in maps_at(rule, "backendRefs"):
                is_service = text_at(target, "kind") in {"", "Service"} and not text_at(target, "group")
                if is_service and text_at(target, "namespace") in {"", route.id.namespace}:
                    way: Pointer = ("spec", "rules", position, "backendRefs", place)
                    name = text_at(target, "name")
                    yield from _leads_to(inputs, route, name, (*way, "name"), scalar_at(target, "port"), (*way, "port"))


def _leads_to(
    inputs: CheckInput, source: Resource, name: str, name_at: Pointer, port: int | str | None, port_at: Pointer
) -> Iterator[Hit]:
    """What is wrong with a backend: its Service, or the port of it."""
    service = inputs.named("", "Service", source.id.namespace, name)
    if service is None and inputs.provisions.is_made("Service", source.id.namespace, name):
        return
    if service is None:
        known = inputs.names.of("", "Service", source.id.namespace)
        what = f"its namespace has no Service `{name}`: requests get a 503"
        yield Hit(source.id, name_at, what, f"{suggestion(name, known)}add the Service", value=name)
        return
    ports = [each for _, each in maps_at(service.value, "spec", "ports")]
    if (
        port is None
        or not ports
        or port in {text_at(each, "name") for each in ports}
        or port in {scalar_at(each, "port") for each in ports}
    ):
        return
    shown = ", ".join(
        f"{each.get('port')} ({text_at(each, 'name')})" if text_at(each, "name") else str(each.get("port"))
        for each in ports
    )
    what = f"{service.id.short} has no port `{port}`: requests get a 503"
    yield Hit(source.id, port_at, what, f"write a port of the Service: {shown}", value=port)


RULE: Final = Rule(
    "ingress-backend",
    "error",
    "An Ingress or a route leads to a Service of the environment, and to a port of it.",
    "kubernetes.io, Ingress; kube-linter dangling-ingress, kube-score ingress-targets-service, Popeye POP-1401",
    _backend,
    why="A request that leads to a Service or port that is not there is answered with 503.",
    fix="Write a Service of the environment and one of its ports.",
    links=("https://kubernetes.io/docs/concepts/services-networking/ingress/",),
    fires="""\
apiVersion: v1
kind: Service
metadata: {name: api}
spec:
  ports:
  - {name: http, port: 80}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api}
spec:
  rules:
  - http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service: {name: apis, port: {name: http}}
""",
    silent="""\
apiVersion: v1
kind: Service
metadata: {name: api}
spec:
  ports:
  - {name: http, port: 80}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api}
spec:
  rules:
  - http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service: {name: api, port: {name: http}}
""",
)
