"""The rule `namespace-default`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _default(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        if pods.namespace == "default":
            yield Hit(
                pods.resource.id,
                ("metadata", "namespace"),
                "it runs in the namespace `default`, where everything lands that names none",
                "write a namespace of its own: `namespace` in environment.yaml sets it for all",
            )


RULE: Final = Rule(
    "namespace-default",
    "info",
    "A workload has a namespace of its own.",
    "kubernetes.io, Namespaces: When to Use Multiple Namespaces; kube-linter use-namespace",
    _default,
    alone=True,
    why=(
        "Rights, quotas and network policies hold for a namespace; in `default` they hold for whatever anybody applies "
        "without naming one."
    ),
    fix="Write `namespace` in environment.yaml, or in the resource.",
    links=("https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/#initial-namespaces",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: default}
spec:
  containers: [{name: api, image: "shop/api:v1.4.2"}]
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop}
spec:
  containers: [{name: api, image: "shop/api:v1.4.2"}]
""",
)
