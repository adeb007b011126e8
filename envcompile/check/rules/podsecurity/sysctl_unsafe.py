"""The rule `sysctl-unsafe`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.reading import maps_at, text_at
from envcompile.check.rule import Rule
from envcompile.check.standards import Breach, Control, breaking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.pods import Pods


_SYSCTLS: Final = (
    (0, "kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies net.ipv4.ping_group_range"),
    (0, "net.ipv4.ip_unprivileged_port_start"),
    (27, "net.ipv4.ip_local_reserved_ports"),
    (29, "net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_intvl"),
    (29, "net.ipv4.tcp_keepalive_probes"),
    (32, "net.ipv4.tcp_rmem net.ipv4.tcp_wmem"),
    (37, "net.ipv4.tcp_slow_start_after_idle net.ipv4.tcp_notsent_lowat"),
)
"""From which minor version on which sysctls are safe."""


def _sysctls(pods: Pods, minor: int) -> Iterator[Breach]:
    safe = {name for since, names in _SYSCTLS if since <= minor for name in names.split()}
    for position, sysctl in maps_at(pods.spec, "securityContext", "sysctls"):
        name = text_at(sysctl, "name")
        if name not in safe:
            what = f"the sysctl `{name}` is not safe: a kubelet without `--allowed-unsafe-sysctls` refuses the pod"
            yield Breach((*pods.spec_pointer, "securityContext", "sysctls", position, "name"), what, "take it out")


CONTROLS: Final = (Control("sysctl-unsafe", "sysctls", "baseline", _sysctls),)

RULE: Final = Rule(
    "sysctl-unsafe",
    "error",
    "Pods set safe sysctls only; a kubelet refuses the others.",
    "Pod Security Standards: sysctls; kube-linter unsafe-sysctls",
    breaking(CONTROLS),
    alone=True,
    controls=CONTROLS,
    why=(
        "A sysctl that is not namespaced changes the node for all pods; the kubelet refuses the pod unless an "
        "administrator allowed it."
    ),
    fix="Take it out, or have the cluster's administrator set it on the nodes.",
    links=("https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  securityContext:
    sysctls:
    - {name: kernel.msgmax}
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
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
