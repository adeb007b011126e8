"""The rule `rbac-escalate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.roles import roles
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _escalate(inputs: CheckInput) -> Iterator[Hit]:
    for role, power in roles(inputs):
        if power.names:
            continue
        verbs = sorted(power.verbs & {"bind", "escalate", "impersonate"})
        if verbs:
            what = f"the rule allows {' and '.join(verbs)}: whoever has it can take any right there is"
            fix = "take it out, or name the roles or users under `resourceNames`"
            yield Hit(role.id, (*power.pointer, "verbs"), what, fix, value=verbs)


RULE: Final = Rule(
    "rbac-escalate",
    "warning",
    "No role lets anybody take rights that nobody gave: bind, escalate, impersonate.",
    "kubernetes.io, RBAC Good Practices: Escalate verb, Bind verb, Impersonate verb",
    _escalate,
    alone=True,
    why="With bind, escalate or impersonate somebody gives himself every right that exists.",
    fix="Take the verb out, or limit it by `resourceNames`.",
    links=("https://kubernetes.io/docs/concepts/security/rbac-good-practices/#escalate-verb",),
    fires="""\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: api}
rules:
- {apiGroups: [rbac.authorization.k8s.io], resources: [roles], verbs: [bind]}
""",
    silent="""\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: api}
rules:
- {apiGroups: [""], resources: [secrets], verbs: [get]}
""",
)
