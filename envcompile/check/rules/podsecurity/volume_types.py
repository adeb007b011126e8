"""The rule `volume-types`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.reading import maps_at, text_at
from envcompile.check.rule import Rule
from envcompile.check.standards import Breach, Control, breaking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.pods import Pods


_VOLUMES: Final = frozenset({
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
})


def _volumes(pods: Pods, _minor: int) -> Iterator[Breach]:
    for position, volume in maps_at(pods.spec, "volumes"):
        kinds = [key for key, value in volume.items() if key != "name" and value is not None]
        if kinds and "hostPath" in kinds:
            continue  # the baseline level says so already
        if kinds and not any(kind in _VOLUMES for kind in kinds):
            what = f"volume `{text_at(volume, 'name')}` is of type {kinds[0]}, which reaches outside of the pod"
            fix = "use a PersistentVolumeClaim or a CSI volume"
            yield Breach((*pods.spec_pointer, "volumes", position, kinds[0]), what, fix)


CONTROLS: Final = (Control("volume-types", "restrictedVolumes", "restricted", _volumes),)

RULE: Final = Rule(
    "volume-types",
    "warning",
    "Volumes are of types that stay within the pod and its claims.",
    "Pod Security Standards: restrictedVolumes",
    breaking(CONTROLS),
    alone=True,
    controls=CONTROLS,
    why="Volumes of other types reach outside of the pod with the credentials of the node.",
    fix="Use a PersistentVolumeClaim or a CSI volume.",
    links=("https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
  volumes:
  - {name: share, nfs: {server: nfs, path: /}}
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
