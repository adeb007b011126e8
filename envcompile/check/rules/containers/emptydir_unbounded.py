"""The rule `emptydir-unbounded`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at, maps_at, text_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _unbounded(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        for position, volume in maps_at(pods.spec, "volumes"):
            directory = volume.get("emptyDir")
            if isinstance(directory, dict) and "sizeLimit" not in directory:
                in_memory = directory.get("medium") == "Memory"
                if in_memory and all(
                    "memory" in map_at(container.value, "resources", "limits") for container in pods.containers
                ):
                    continue  # it is as large as the pod's memory limit then (KEP-1967, SizeMemoryBackedVolumes)
                takes = "memory" if in_memory else "disk"
                yield Hit(
                    pods.resource.id,
                    (*pods.spec_pointer, "volumes", position, "emptyDir", "sizeLimit"),
                    f"the emptyDir `{text_at(volume, 'name')}` may take all {takes} of its node",
                    "write `sizeLimit`",
                    "warning" if in_memory else None,
                )


RULE: Final = Rule(
    "emptydir-unbounded",
    "info",
    "An emptyDir has a size limit, above all one in memory.",
    "kubernetes.io, Volumes: emptyDir; Kyverno add-emptydir-sizelimit",
    _unbounded,
    alone=True,
    why="A volume that grows without end fills the node's disk, or its memory, and evicts the neighbours.",
    fix="Write a `sizeLimit`.",
    links=("https://kubernetes.io/docs/concepts/storage/volumes/#emptydir",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
  volumes:
  - {name: tmp, emptyDir: {}}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
  volumes:
  - {name: tmp, emptyDir: {sizeLimit: 64Mi}}
""",
)
