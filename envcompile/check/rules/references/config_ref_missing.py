"""The rule `config-ref-missing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.references import MANY
from envcompile.check.rule import Rule
from envcompile.check.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.references import Reference
    from envcompile.model import ResourceId


def _config(inputs: CheckInput) -> Iterator[Hit]:
    missing: dict[tuple[str, str, str], dict[ResourceId, Reference]] = {}
    for reference in inputs.references:
        if reference.kind not in {"ConfigMap", "Secret"} or reference.optional or not reference.name:
            continue
        pods = reference.pods
        provided = inputs.provisions.find(reference.kind, pods.namespace, reference.name)
        if provided is None:
            key = (reference.kind, pods.namespace, reference.name)
            missing.setdefault(key, {}).setdefault(pods.resource.id, reference)
        elif reference.key and provided.keys is not None and reference.key not in provided.keys:
            maker = "" if provided.resource is None else f" ({provided.resource.id.short})"
            near = suggestion(reference.key, sorted(provided.keys))
            yield Hit(
                pods.resource.id,
                (*reference.pointer, "key"),
                f"the {reference.kind} {reference.name}{maker} has no key `{reference.key}`: the pods do not start",
                f"{near}add the key, or write `optional: true`",
                value=reference.key,
            )

    for references in missing.values():
        # What many name is seldom a slip: it comes from elsewhere, and one finding says it of all.
        together = len(references) >= MANY
        for reference in list(references.values())[: 1 if together else None]:
            yield _missing_object(inputs, reference, len(references) if together else 1)


def _missing_object(inputs: CheckInput, reference: Reference, workloads: int) -> Hit:
    pods = reference.pods
    near = suggestion(reference.name, inputs.provisions.names(reference.kind, pods.namespace))
    if reference.kind == "Secret":
        fix = "seal it (`envc secrets set`), add an ExternalSecret, or say in `envcompile.dev/ignore` who makes it"
    else:
        fix = "add the ConfigMap, or say in `envcompile.dev/ignore` who makes it"
    return Hit(
        pods.resource.id,
        reference.pointer,
        f"its namespace has no {reference.kind} `{reference.name}`"
        + (f", which {workloads} workloads name" if workloads > 1 else "")
        + ": the pods do not start without it",
        near + fix,
        # Operators make many Secrets that no manifest mentions; ConfigMaps seldom come from elsewhere.
        severity="warning" if reference.kind == "Secret" or workloads > 1 else None,
        value=reference.name,
    )


RULE: Final = Rule(
    "config-ref-missing",
    "error",
    "Every ConfigMap, Secret and key that a pod needs is in the environment, or its pods never start.",
    "kubernetes.io, ConfigMaps and Secrets; kube-linter env-value-from, Popeye POP-304/407",
    _config,
    why="A pod that names a ConfigMap, Secret or key that is not there waits in CreateContainerConfigError for ever.",
    fix="Add what is missing, write its right name, or write `optional: true`.",
    links=("https://kubernetes.io/docs/concepts/configuration/configmap/",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
  volumes:
  - {name: config, configMap: {name: api-config}}
""",
    silent="""\
apiVersion: v1
kind: ConfigMap
metadata: {name: api-config}
---
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
  volumes:
  - {name: config, configMap: {name: api-config}}
""",
)
