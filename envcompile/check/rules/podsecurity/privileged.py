"""The rule `privileged`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.rule import Rule
from envcompile.check.standards import Breach, Control, breaking, container_contexts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.pods import Pods


def _privileged(pods: Pods, _minor: int) -> Iterator[Breach]:
    for context in container_contexts(pods):
        if context.value.get("privileged") is True:
            what = f"{context.who} is privileged: it is root on the node"
            yield Breach(
                (*context.pointer, "privileged"), what, "take `privileged` out; add single capabilities if need be"
            )


CONTROLS: Final = (Control("privileged", "privileged", "baseline", _privileged),)

RULE: Final = Rule(
    "privileged",
    "error",
    "No container is privileged: it would be root on its node.",
    "Pod Security Standards: privileged; Polaris runAsPrivileged",
    breaking(CONTROLS),
    alone=True,
    controls=CONTROLS,
    why=(
        "A privileged container has all devices and capabilities of the node: nothing separates it from the other pods."
    ),
    fix="Take `privileged` out; add single capabilities if need be.",
    links=("https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    securityContext: {privileged: true}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    securityContext: {capabilities: {add: [NET_BIND_SERVICE]}}
""",
)
