"""The rule `privilege-escalation`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.rule import Rule
from envcompile.check.standards import Breach, Control, breaking, container_contexts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.pods import Pods


def _escalation(pods: Pods, minor: int) -> Iterator[Breach]:
    if pods.is_windows and minor >= 25:
        return
    for context in container_contexts(pods):
        if context.value.get("allowPrivilegeEscalation") is not False:
            what = f"{context.who} may gain rights that it did not start with"
            yield Breach(
                (*context.pointer, "allowPrivilegeEscalation"), what, "write `allowPrivilegeEscalation: false`"
            )


CONTROLS: Final = (Control("privilege-escalation", "allowPrivilegeEscalation", "restricted", _escalation),)

RULE: Final = Rule(
    "privilege-escalation",
    "warning",
    "No container may gain rights that it did not start with.",
    "Pod Security Standards: allowPrivilegeEscalation; Polaris privilegeEscalationAllowed",
    breaking(CONTROLS),
    alone=True,
    controls=CONTROLS,
    why="By a setuid program a process may become root although the container started as somebody else.",
    fix="Write `allowPrivilegeEscalation: false` in the container's `securityContext`.",
    links=("https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",),
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
    securityContext: {allowPrivilegeEscalation: false}
""",
)
