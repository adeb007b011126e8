"""The rule `host-path`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.reading import maps_at, text_at
from envcompile.check.rule import Rule
from envcompile.check.standards import Breach, Control, breaking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.pods import Pods
    from envcompile.model import Pointer


_SOCKETS: Final = ("docker.sock", "containerd.sock", "crio.sock", "cri-dockerd.sock", "dockershim.sock")


_REGISTERED: Final = (
    "/var/lib/kubelet/plugins_registry",
    "/var/lib/kubelet/device-plugins",
    "C:\\var\\lib\\kubelet\\plugins_registry",
)
"""Where the kubelet looks for drivers; source: pkg/kubelet/config/defaults.go, Device Plugins on kubernetes.io."""
_OF_DRIVERS: Final = ("/var/lib/kubelet/", "C:\\var\\lib\\kubelet\\", "\\\\.\\pipe\\csi-proxy", "/dev")


_WHOLE: Final = frozenset({"/", "/etc", "/root", "/var", "/var/run", "/run", "/var/lib/kubelet", "/etc/kubernetes"})
"""Paths of a node that are as good as the node to whoever may write to them."""


def _host_path(pods: Pods, _minor: int) -> Iterator[Breach]:
    for position, volume in maps_at(pods.spec, "volumes"):
        if "hostPath" not in volume or volume["hostPath"] is None:
            continue
        path = text_at(volume, "hostPath", "path")
        pointer: Pointer = (*pods.spec_pointer, "volumes", position, "hostPath")
        what = f"volume `{text_at(volume, 'name')}` is the path `{path}` of the node"
        is_whole = (path.rstrip("/") or "/") in _WHOLE and _is_written(pods, text_at(volume, "name"))
        is_fatal = is_whole or path.endswith(_SOCKETS)
        if not is_fatal and path.startswith(_OF_DRIVERS) and _is_driver(pods):
            yield Breach(pointer, what, "leave it: the kubelet finds a driver there, and nowhere else", "info")
            continue
        if is_fatal:
            what += ", which is as good as root on the node"
        yield Breach(
            pointer,
            what,
            "use a volume of the pod's own (emptyDir, a claim, a ConfigMap)",
            "error" if is_fatal else None,
        )


def _is_driver(pods: Pods) -> bool:
    """Tell whether the pods register a driver of volumes or devices with the kubelet."""
    paths = [text_at(volume, "hostPath", "path") for _, volume in maps_at(pods.spec, "volumes")]
    return any(path.startswith(_REGISTERED) for path in paths)


def _is_written(pods: Pods, volume: str) -> bool:
    """Tell whether a container may write to a volume."""
    return any(
        text_at(mount, "name") == volume and mount.get("readOnly") is not True
        for container in pods.containers
        for _, mount in maps_at(container.value, "volumeMounts")
    )


CONTROLS: Final = (Control("host-path", "hostPathVolumes", "baseline", _host_path),)

RULE: Final = Rule(
    "host-path",
    "warning",
    "No pod mounts a path of its node.",
    "Pod Security Standards: hostPathVolumes; Polaris hostPathSet, kube-linter docker-sock",
    breaking(CONTROLS),
    alone=True,
    controls=CONTROLS,
    why=(
        "A path of the node is shared by all pods on it and survives them; a socket of the runtime there is root "
        "on the node."
    ),
    fix="Use a volume of the pod's own: emptyDir, a claim, a ConfigMap.",
    links=("https://kubernetes.io/docs/concepts/storage/volumes/#hostpath",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
  volumes:
  - {name: logs, hostPath: {path: /var/log}}
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
