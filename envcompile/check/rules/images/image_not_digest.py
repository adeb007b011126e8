"""The rule `image-not-digest`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import text_at
from envcompile.check.rule import Rule
from envcompile.kubernetes.images import is_placeholder, parse_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _not_digest(inputs: CheckInput) -> Iterator[Hit]:
    if not inputs.is_production:
        return
    for pods in inputs.pods:
        for container in pods.containers:
            image = text_at(container.value, "image")
            if is_placeholder(image):
                continue
            _, tag, digest = parse_image(image)
            if tag and tag != "latest" and not digest:
                yield Hit(
                    pods.resource.id,
                    (*container.pointer, "image"),
                    f"the image of container `{container.name}` is named by tag: whoever may push can change what runs",
                    "add the digest under `images:` of environment.yaml: `digest: sha256:…`",
                )


RULE: Final = Rule(
    "image-not-digest",
    "info",
    "Production names images by digest, so that nobody who may push to the registry changes what runs.",
    "kubernetes.io, Images; Kyverno require-image-checksum, Checkov CKV_K8S_43",
    _not_digest,
    alone=True,
    why="Whoever may push to the registry can put something else behind a tag.",
    fix="Add the digest under `images:` of environment.yaml: `digest: sha256:…`.",
    links=("https://kubernetes.io/docs/concepts/containers/images/#image-names",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - {name: api, image: 'api:v1'}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - name: api
    image: registry.example.com:5000/api:v1.4.2@sha256:0000000000000000000000000000000000000000000000000000000000000000
""",
)
