"""Which kinds have rules of their own; asked of every resource, so nothing heavy is needed for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from envcompile.kubernetes.crds import SchemaNode

if TYPE_CHECKING:
    from envcompile.kubernetes import KubeApi

ADMISSION: Final = "admissionregistration.k8s.io"
POLICY: Final = "ValidatingAdmissionPolicy"
RULES: Final = "x-kubernetes-validations"


def has_rules(schema: Any) -> bool:
    """Tell whether a schema has a rule anywhere."""
    return f'"{RULES}"' in json.dumps(schema, default=str)


def has_own_rules(api: KubeApi, group: str, version: str, kind: str) -> bool:
    """Tell whether a custom kind has rules."""
    node = api.node(group, version, kind)
    return isinstance(node, SchemaNode) and has_rules(node.schema)
