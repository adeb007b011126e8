"""Which kinds have rules of their own; asked of every resource, so nothing heavy is needed for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from envcompile.kubernetes.crds import SchemaNode

if TYPE_CHECKING:
    from envcompile.check.check_input import CheckInput
    from envcompile.kubernetes import KubeApi
    from envcompile.model import Resource

ADMISSION: Final = "admissionregistration.k8s.io"
POLICY: Final = "ValidatingAdmissionPolicy"
RULES: Final = "x-kubernetes-validations"


def has_rules(schema: Any) -> bool:
    """Tell whether a schema has a rule anywhere."""
    return f'"{RULES}"' in json.dumps(schema, default=str)


def policies_of(inputs: CheckInput) -> list[Resource]:
    """The admission policies of an environment."""
    return inputs.of_kind(ADMISSION, POLICY)


def with_own_rules(inputs: CheckInput) -> list[Resource]:
    """The objects whose kind has rules."""
    known: dict[tuple[str, str], bool] = {}
    found = []
    for resource in inputs.resources:
        kind = (str(resource.value.get("apiVersion", "")), resource.id.kind)
        if kind not in known:
            group, _, version = kind[0].rpartition("/")
            is_custom = not inputs.api.is_built_in(group, kind[1])
            known[kind] = is_custom and has_own_rules(inputs.api, group, version, kind[1])
        if known[kind]:
            found.append(resource)
    return found


def has_own_rules(api: KubeApi, group: str, version: str, kind: str) -> bool:
    """Tell whether a custom kind has rules."""
    node = api.node(group, version, kind)
    return isinstance(node, SchemaNode) and has_rules(node.schema)
