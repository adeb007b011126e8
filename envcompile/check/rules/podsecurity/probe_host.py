"""The rule `probe-host`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.reading import text_at
from envcompile.check.rule import Rule
from envcompile.check.standards import Breach, Control, breaking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.pods import Pods


def _probe_host(pods: Pods, minor: int) -> Iterator[Breach]:
    if minor < 34:
        return
    for container in pods.containers:
        handlers = [(field,) for field in ("livenessProbe", "readinessProbe", "startupProbe")]
        for way in (*handlers, ("lifecycle", "postStart"), ("lifecycle", "preStop")):
            for action in ("httpGet", "tcpSocket"):
                host = text_at(container.value, *way, action, "host")
                if host:
                    what = f"`{way[-1]}` of container `{container.name}` makes the kubelet talk to another host"
                    pointer = (*container.pointer, *way, action, "host")
                    yield Breach(pointer, what, "take `host` out: the pod's own address is the default")


CONTROLS: Final = (Control("probe-host", "hostProbesAndHostLifecycle", "baseline", _probe_host),)

RULE: Final = Rule(
    "probe-host",
    "warning",
    "Probes and lifecycle handlers name no host: the kubelet would call it from the node.",
    "Pod Security Standards: hostProbesAndHostLifecycle",
    breaking(CONTROLS),
    alone=True,
    controls=CONTROLS,
    why=(
        "The kubelet would call the host from the node's network: whoever writes a pod could reach what only "
        "nodes reach."
    ),
    fix="Take `host` out: the pod's own address is the default.",
    links=("https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    livenessProbe: {httpGet: {port: http, host: 169.254.169.254}}
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
