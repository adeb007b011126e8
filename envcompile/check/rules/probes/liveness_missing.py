"""The rule `liveness-missing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _liveness(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        for container in pods.running if pods.serves else ():
            if not map_at(container.value, "livenessProbe"):
                yield Hit(
                    pods.resource.id,
                    (*container.pointer, "livenessProbe"),
                    f"container `{container.name}` has no livenessProbe: a deadlock lasts until somebody sees it",
                    "write a `livenessProbe` if the container can hang; one that asks for nothing but itself",
                )


RULE: Final = Rule(
    "liveness-missing",
    "info",
    "A container that can hang has a livenessProbe.",
    "kubernetes.io, Liveness, Readiness, and Startup Probes; Polaris livenessProbeMissing",
    _liveness,
    alone=True,
    why="A container that hangs keeps hanging until somebody looks.",
    fix="Write a `livenessProbe` if the container can hang; one that asks for nothing but itself.",
    links=("https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    livenessProbe: {httpGet: {port: http}}
""",
)
