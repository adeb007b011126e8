"""The rule `custom-kind-rule`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.cel.installed import is_installed
from envcompile.check.finding import Hit
from envcompile.check.policy.kinds import with_own_rules
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _rule(inputs: CheckInput) -> Iterator[Hit]:
    if not with_own_rules(inputs) or not is_installed():
        return
    from envcompile.check.policy import customkinds

    for found in customkinds.judge(inputs):
        if not isinstance(found, customkinds.Refused):
            fix = "nothing is concluded from it: the cluster alone decides"
            yield Hit(found.resource.id, found.pointer, f"not evaluated, because {found.why}", fix, "info", found.why)
            continue
        problem = found.problem
        yield Hit(
            found.resource.id,
            problem.pointer,
            problem.words,
            f"do as the rule of {found.resource.id.kind} asks: `{problem.rule}`",
            value=problem.rule,
        )


RULE: Final = Rule(
    "custom-kind-rule",
    "error",
    "Objects of custom kinds keep the rules that their CustomResourceDefinition has in CEL.",
    "kubernetes.io, CustomResourceDefinitions: Validation rules; k8s.io/apiextensions-apiserver",
    _rule,
    alone=True,
    in_cel=True,
    why="The API server refuses an object that breaks a rule of its kind, and a change that a rule does not allow.",
    fix="Do as the message of the rule says; what must not change was compiled to something else before.",
    links=(
        "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules",
    ),
    fires="""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boxes.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Box, plural: boxes, singular: box, listKind: BoxList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              least: {type: integer}
              most: {type: integer}
            x-kubernetes-validations:
            - {rule: self.least <= self.most, message: least is above most}
---
apiVersion: example.com/v1
kind: Box
metadata: {name: red}
spec: {least: 4, most: 3}
""",
    silent="""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boxes.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Box, plural: boxes, singular: box, listKind: BoxList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              least: {type: integer}
              most: {type: integer}
            x-kubernetes-validations:
            - {rule: self.least <= self.most, message: least is above most}
---
apiVersion: example.com/v1
kind: Box
metadata: {name: red}
spec: {least: 2, most: 3}
""",
)
