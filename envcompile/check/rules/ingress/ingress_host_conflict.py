"""The rule `ingress-host-conflict`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.ingresses import CLASS_ANNOTATION
from envcompile.check.reading import maps_at, strings_at, text_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.model import Resource


_NETWORKING: Final = "networking.k8s.io"


_NGINX: Final = "nginx.ingress.kubernetes.io/"


def class_of(ingress: Resource) -> str:
    """The class of an Ingress, by field or by the old annotation."""
    annotations = strings_at(ingress.value, "metadata", "annotations")
    return text_at(ingress.value, "spec", "ingressClassName") or annotations.get(CLASS_ANNOTATION, "")


def _conflict(inputs: CheckInput) -> Iterator[Hit]:
    first: dict[tuple[str, str, str, str], Resource] = {}
    for ingress in inputs.of_kind(_NETWORKING, "Ingress"):
        if strings_at(ingress.value, "metadata", "annotations").get(f"{_NGINX}canary") == "true":
            continue
        for position, rule in maps_at(ingress.value, "spec", "rules"):
            host = text_at(rule, "host")
            for place, path in maps_at(rule, "http", "paths"):
                key = (class_of(ingress), host, text_at(path, "path"), text_at(path, "pathType"))
                other = first.setdefault(key, ingress)
                if other is not ingress:
                    yield Hit(
                        ingress.id,
                        ("spec", "rules", position, "http", "paths", place, "path"),
                        f"{other.id.short} has {host or 'every host'}{key[2] or '/'}, too: chance says who answers",
                        "leave the path in one Ingress",
                        value=[other.id.name, host, key[2]],
                    )


RULE: Final = Rule(
    "ingress-host-conflict",
    "error",
    "No two Ingresses of a class have the same host and path.",
    "ingress-nginx, admission webhook; Gatekeeper uniqueingresshost, Kyverno unique-ingress-host-and-path",
    _conflict,
    why="The controller takes one of the two, the older or whichever it reads first, and refuses or ignores the other.",
    fix="Give one another host or path, or leave it out.",
    links=("https://kubernetes.github.io/ingress-nginx/how-it-works/",),
    fires="""\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api}
spec:
  ingressClassName: nginx
  rules:
  - host: api.example.com
    http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service: {name: api, port: {name: http}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  ingressClassName: nginx
  rules:
  - host: api.example.com
    http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service: {name: api, port: {number: 80}}
""",
    silent="""\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api}
spec:
  ingressClassName: nginx
  rules:
  - host: api.example.com
    http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service: {name: api, port: {name: http}}
""",
)
