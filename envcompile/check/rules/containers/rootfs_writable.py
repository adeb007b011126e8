"""The rule `rootfs-writable`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _writable_root(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        for container in pods.containers:
            context = map_at(container.value, "securityContext")
            if context.get("readOnlyRootFilesystem") is not True and not pods.is_windows:
                yield Hit(
                    pods.resource.id,
                    (*container.pointer, "securityContext", "readOnlyRootFilesystem"),
                    f"container `{container.name}` may write to its image: whoever breaks in can bring tools along",
                    "write `readOnlyRootFilesystem: true`, and mount an emptyDir where it writes",
                )


RULE: Final = Rule(
    "rootfs-writable",
    "info",
    "The root file system of a container is read-only.",
    "kube-linter no-read-only-root-fs, Polaris notReadOnlyRootFilesystem",
    _writable_root,
    alone=True,
    why="Who gets in cannot leave a program behind where nothing can be written.",
    fix="Write `readOnlyRootFilesystem: true`, and an emptyDir where the program writes.",
    links=("https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",),
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
    securityContext: {readOnlyRootFilesystem: true}
""",
)
