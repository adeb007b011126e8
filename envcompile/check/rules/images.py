"""Which image a container runs, and whether it is the same one tomorrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import text_at
from envcompile.check.rule import Rule
from envcompile.kubernetes.images import parse_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import Scene


def _latest(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        for container in pods.containers:
            image = text_at(container.value, "image")
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


def _not_digest(scene: Scene) -> Iterator[Hit]:
    if not scene.is_production:
        return
    for pods in scene.pods:
        for container in pods.containers:
            image = text_at(container.value, "image")
            _, tag, digest = parse_image(image)
            if tag and tag != "latest" and not digest:
                yield Hit(
                    pods.resource.id,
                    (*container.pointer, "image"),
                    f"the image of container `{container.name}` is named by tag: whoever may push can change what runs",
                    "add the digest under `images:` of environment.yaml: `digest: sha256:…`",
                )


RULES: Final = (
    Rule(
        "image-latest",
        "warning",
        "An image is named by a tag of its own or a digest, so that what runs changes by a commit only.",
        "kubernetes.io, Images; kube-linter latest-tag, kube-score container-image-tag, Polaris tagNotSpecified",
        _latest,
        alone=True,
    ),
    Rule(
        "image-not-digest",
        "info",
        "Production names images by digest, so that nobody who may push to the registry changes what runs.",
        "kubernetes.io, Images; Kyverno require-image-checksum, Checkov CKV_K8S_43",
        _not_digest,
        alone=True,
    ),
)
