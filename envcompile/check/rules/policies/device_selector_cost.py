"""The rule `device-selector-cost`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.cel.installed import is_installed
from envcompile.check.finding import Hit
from envcompile.check.rule import Rule
from envcompile.check.standards import minor_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput

_GROUP: Final = "resource.k8s.io"
_KINDS: Final = ("DeviceClass", "DeviceTaintRule", "ResourceClaim", "ResourceClaimTemplate")


def _dear(inputs: CheckInput) -> Iterator[Hit]:
    about = inputs.of_kind(_GROUP, *_KINDS)
    if not about or not is_installed():
        return
    from envcompile.check.policy import devices

    if minor_of(inputs.api.version) < devices.SINCE:
        return
    for resource in about:
        for pointer, text in devices.selectors(resource.value.get("spec"), ("spec",)):
            cost = devices.cost(text, inputs.api.version) if text.strip() else None
            if cost is not None and cost > devices.LIMIT:
                yield Hit(
                    resource.id,
                    pointer,
                    "the API server refuses the selector: too complex, exceeds cost limit "
                    f"(estimated at {cost / devices.LIMIT:.1f} times what it may cost)",
                    "look attributes up by their names instead of going through all of them",
                )


RULE: Final = Rule(
    "device-selector-cost",
    "error",
    "The API server does not estimate a selector of devices as too dear.",
    "k8s.io/dynamic-resource-allocation, cel/compile.go; validateCELSelector of pkg/apis/resource/validation",
    _dear,
    alone=True,
    in_cel=True,
    why=(
        "The API server refuses a claim or class with a selector that may cost more than 1,000,000 for the largest "
        "device there can be."
    ),
    fix="Look attributes up by domain and name, and compare them with literals.",
    links=("https://kubernetes.io/docs/reference/using-api/cel/",),
    fires="""\
apiVersion: resource.k8s.io/v1
kind: DeviceClass
metadata: {name: fast}
spec:
  selectors:
  - cel:
      expression: |
        device.attributes.all(a, device.attributes.all(b, device.attributes.all(c, device.attributes.all(d,
          a + b + c + d != ''))))
""",
    silent="""\
apiVersion: resource.k8s.io/v1
kind: DeviceClass
metadata: {name: fast}
spec:
  selectors:
  - cel: {expression: 'device.driver == "gpu.example.com" && device.attributes["gpu.example.com"].model == "x1"'}
""",
)
