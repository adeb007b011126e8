"""The rule `custom-kind-rule-expression`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.cel.installed import is_installed
from envcompile.check.finding import Hit
from envcompile.check.rule import Rule
from envcompile.check.schema import complaints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _expression(inputs: CheckInput) -> Iterator[Hit]:
    if not inputs.of_kind("apiextensions.k8s.io", "CustomResourceDefinition") or not is_installed():
        return
    from envcompile.check.policy import customkinds

    for resource, pointer, words in customkinds.refusals(inputs):
        if any(complaint.pointer == pointer for complaint in complaints(inputs.api, resource.value)):
            continue
        yield Hit(
            resource.id,
            pointer,
            f"the API server refuses the rule: {words}",
            "write a rule that the server's checker takes: kubernetes.io, CEL in Kubernetes",
            value=words,
        )


RULE: Final = Rule(
    "custom-kind-rule-expression",
    "error",
    "The API server can compile the rules of CustomResourceDefinitions, and does not estimate them as too dear.",
    "k8s.io/apiextensions-apiserver, pkg/apiserver/schema/cel/compilation.go and pkg/apis/apiextensions/validation",
    _expression,
    alone=True,
    in_cel=True,
    why=(
        "The API server refuses a definition with a rule that does not compile, or that may cost too much for the "
        "largest objects its schema allows, and with it all its objects."
    ),
    fix=(
        "Compare values of one type, use `oldSelf` only where an item can be told from the others by its keys, and "
        "bound texts, lists and maps (`maxLength`, `maxItems`, `maxProperties`)."
    ),
    links=("https://kubernetes.io/docs/reference/using-api/cel/",),
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
            - {rule: self.least <= 'three', message: least is above most}
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
""",
)
