"""The rule `volume-missing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import maps_at, text_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _volume_missing(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        known = {text_at(volume, "name") for _, volume in maps_at(pods.spec, "volumes")}
        known |= {
            text_at(claim, "metadata", "name")
            for _, claim in maps_at(pods.resource.value, "spec", "volumeClaimTemplates")
        }
        for container in pods.containers:
            for position, mount in maps_at(container.value, "volumeMounts"):
                name = text_at(mount, "name")
                if name and name not in known:
                    yield Hit(
                        pods.resource.id,
                        (*container.pointer, "volumeMounts", position, "name"),
                        f"container `{container.name}` mounts the volume `{name}`, which the pod does not have",
                        f"add `{name}` to `volumes`, or take the mount out",
                        value=name,
                    )


RULE: Final = Rule(
    "volume-missing",
    "error",
    "Every volume that a container mounts is a volume of its pod; the API server refuses anything else.",
    "kubernetes/kubernetes, pkg/apis/core/validation: ValidateVolumeMounts",
    _volume_missing,
    alone=True,
    why="The API server refuses the pod.",
    fix="Add the volume to the pod, or write the name of one that is there.",
    links=("https://kubernetes.io/docs/concepts/storage/volumes/",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    volumeMounts: [{name: temp, mountPath: /tmp}]
  volumes: [{name: tmp, emptyDir: {}}]
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: shop/api:v1.4.2
    volumeMounts: [{name: tmp, mountPath: /tmp}]
  volumes: [{name: tmp, emptyDir: {}}]
""",
)
