"""The rule `secret-makers`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at, text_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.model import Resource


def _makers(inputs: CheckInput) -> Iterator[Hit]:
    first: dict[tuple[str, str], Resource] = {}
    kinds = [("", "Secret"), ("bitnami.com", "SealedSecret"), ("external-secrets.io", "ExternalSecret")]
    for group, kind in [*kinds, ("cert-manager.io", "Certificate")]:
        for resource in inputs.of_kind(group, kind):
            name = resource.id.name
            if kind == "ExternalSecret":
                target = map_at(resource.value, "spec", "target")
                if text_at(target, "creationPolicy") in {"Merge", "None", "Orphan"}:
                    continue
                name = text_at(target, "name") or name
            elif kind == "Certificate":
                name = text_at(resource.value, "spec", "secretName")
            other = first.setdefault((resource.id.namespace, name), resource)
            if other is not resource:
                yield Hit(
                    resource.id,
                    ("metadata", "name"),
                    f"{other.id.short} makes the Secret `{name}`, too: one of the two never gets its values through",
                    "leave one of them, or give one another name",
                    value=other.id.short,
                )


RULE: Final = Rule(
    "secret-makers",
    "error",
    "A Secret is made by one resource.",
    "sealed-secrets README, Managing existing secrets; external-secrets.io, Ownership",
    _makers,
    why="Two makers of one Secret overwrite each other; which value the pods see changes with every reconciliation.",
    fix="Leave one of the two out, or give one another name.",
    links=("https://external-secrets.io/latest/guides/ownership-deletion-policy/",),
    fires="""\
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: api-secret}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: worker}
spec: {target: {name: api-secret}}
""",
    silent="""\
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: api-secret}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: worker}
spec: {target: {name: worker-secret}}
""",
)
