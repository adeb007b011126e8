"""The rule `image-latest`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import text_at
from envcompile.check.rule import Rule
from envcompile.kubernetes.images import is_placeholder, parse_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _latest(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        for container in pods.containers:
            image = text_at(container.value, "image")
            if is_placeholder(image):
                continue
            _, tag, digest = parse_image(image)
            if not image or digest or (tag and tag != "latest"):
                continue
            what = "has the tag `latest`" if tag else "has no tag, which means `latest`"
            yield Hit(
                pods.resource.id,
                (*container.pointer, "image"),
                f"the image of container `{container.name}` {what}: what runs changes without a commit",
                "write the tag of a release, such as `v1.4.2`, here or under `images:` of environment.yaml",
            )


RULE: Final = Rule(
    "image-latest",
    "warning",
    "An image is named by a tag of its own or a digest, so that what runs changes by a commit only.",
    "kubernetes.io, Images; kube-linter latest-tag, kube-score container-image-tag, Polaris tagNotSpecified",
    _latest,
    alone=True,
    why=(
        "What a moving tag means changes without a commit: two pods of one workload may run different programs, "
        "and no revert brings the old one back."
    ),
    fix="Write the tag of a release, such as `v1.4.2`, in the resource or under `images:` of environment.yaml.",
    links=("https://kubernetes.io/docs/concepts/containers/images/#image-names",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - {name: api, image: shop/api}
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
