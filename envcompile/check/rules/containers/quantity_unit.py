"""The rule `quantity-unit`."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at
from envcompile.check.rule import Rule
from envcompile.kubernetes.quantities import quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput

_SMALLEST: Final = {"memory": Fraction(2**20), "ephemeral-storage": Fraction(2**10), "cpu": Fraction(0)}
_LARGEST: Final = {"memory": Fraction(2**50), "ephemeral-storage": Fraction(2**60), "cpu": Fraction(2**10)}
"""No container runs in less memory, and no node has more of it."""


def _units(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        for container in pods.containers:
            for side in ("requests", "limits"):
                for name, written in map_at(container.value, "resources", side).items():
                    amount = quantity(written) if name in _SMALLEST else None
                    if not amount or _SMALLEST[name] <= amount <= _LARGEST[name]:
                        continue
                    meant = (
                        "`m` is a thousandth of a byte; write `Mi`" if str(written).endswith("m") else "write a unit"
                    )
                    yield Hit(
                        pods.resource.id,
                        (*container.pointer, "resources", side, name),
                        f"`{name}: {written}` of container `{container.name}` is {_said(name, amount)}",
                        meant if name != "cpu" else "write cores, such as `500m` or `2`",
                        value=str(written),
                    )


def _said(name: str, amount: Fraction) -> str:
    if name == "cpu":
        return f"{float(amount):g} cores: no node has so many, and the pod stays Pending"
    if amount > _LARGEST[name]:
        return f"{float(amount):g} bytes: no node has so many, and the pod stays Pending"
    return f"{float(amount):g} bytes: nothing runs in that"


RULE: Final = Rule(
    "quantity-unit",
    "warning",
    "Memory is given in bytes with a unit such as Mi, and CPU in cores.",
    "kubernetes.io, Resource Management: Memory resource units",
    _units,
    alone=True,
    why=(
        "`400m` of memory is 0.4 bytes, and `cpu: 500Mi` half a billion cores: the container is killed when it starts,"
        " or its pod is never scheduled."
    ),
    fix="Write `Mi` or `Gi` for memory, and cores or thousandths (`m`) for CPU.",
    links=(
        "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#meaning-of-memory",
        "https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/",
    ),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    resources: {limits: {memory: 512m}}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    resources: {limits: {memory: 512Mi}}
""",
)
