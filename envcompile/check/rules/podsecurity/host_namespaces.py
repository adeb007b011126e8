"""The rule `host-namespaces`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.rule import Rule
from envcompile.check.standards import Breach, Control, breaking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.pods import Pods


def _namespaces(pods: Pods, _minor: int) -> Iterator[Breach]:
    for field, shared in (("hostNetwork", "network"), ("hostPID", "processes"), ("hostIPC", "shared memory")):
        if pods.spec.get(field) is True:
            what = f"the pod shares the node's {shared} (`{field}: true`)"
            yield Breach((*pods.spec_pointer, field), what, f"take `{field}` out")


CONTROLS: Final = (Control("host-namespaces", "hostNamespaces", "baseline", _namespaces),)

RULE: Final = Rule(
    "host-namespaces",
    "warning",
    "No pod shares the network, the processes or the shared memory of its node.",
    "Pod Security Standards: hostNamespaces; Polaris hostNetworkSet, hostPIDSet, hostIPCSet",
    breaking(CONTROLS),
    alone=True,
    controls=CONTROLS,
    why=(
        "A pod in the node's namespaces sees the traffic and the processes of all its neighbours, and no network "
        "policy holds for it."
    ),
    fix="Take the field out.",
    links=("https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
  hostNetwork: true
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
""",
)
