"""Who comes to the private keys that open SealedSecrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.grants import Grant, Power, Subject


KEY_NAMES: Final = "sealed-secrets-key"
"""How the names of key Secrets begin unless the controller is told otherwise (`--key-prefix`)."""


READ: Final = ("get", "list", "watch")


SAFE_GROUPS: Final = frozenset({"system:masters"})
"""Groups that may do everything whatever RBAC says."""


EVERYBODY: Final = frozenset({"system:authenticated", "system:unauthenticated", "system:serviceaccounts"})


def others_of(inputs: CheckInput, grant: Grant) -> list[Subject]:
    """Those that a binding names, without the controller itself and those who may do everything anyway."""
    namespace, name = inputs.keys
    controller = {
        ("ServiceAccount", namespace, name),
        ("User", "", f"system:serviceaccount:{namespace}:{name}"),
        *(("Group", "", group) for group in SAFE_GROUPS),
    }
    return [
        subject
        for subject in grant.subjects
        if (subject.kind, subject.namespace or home(grant, subject), subject.name) not in controller
    ]


def home(grant: Grant, subject: Subject) -> str:
    """The namespace of a ServiceAccount that names none."""
    return grant.binding.id.namespace if subject.kind == "ServiceAccount" else ""


def reaching(inputs: CheckInput) -> Iterator[tuple[Grant, list[Subject]]]:
    """The bindings that hold in the keys' namespace, with those they name besides the controller.

    None where nothing is sealed: there are no keys to come to.
    """
    if not inputs.uses_sealing:
        return
    for grant in inputs.grants:
        if grant.holds_in(inputs.keys.namespace):
            others = others_of(inputs, grant)
            if others:
                yield grant, others


def on_secrets(powers: Iterable[Power], verbs: Iterable[str]) -> list[str]:
    """The verbs among some that rules allow on the keys: on all Secrets, or by the names that keys have."""
    return [
        verb
        for verb in verbs
        if any(
            power.allows(verb, "", "secrets")
            and (not power.names or (verb != "create" and any(name.startswith(KEY_NAMES) for name in power.names)))
            for power in powers
        )
    ]


def hit(grant: Grant, subjects: list[Subject], deed: str, fix: str) -> Hit:
    """What is found of a binding that lets somebody do something to the keys."""
    names = ", ".join(map(str, subjects[:3])) + (f" and {len(subjects) - 3} more" if len(subjects) > 3 else "")
    if any(subject.kind == "Group" and subject.name in EVERYBODY for subject in subjects):
        names = f"everybody in the cluster ({names})"
    return Hit(
        grant.binding.id,
        ("roleRef", "name"),
        f"{grant.role_kind} {grant.role_name} lets {names} {deed}",
        fix,
        value=[str(subject) for subject in subjects],
    )


NARROW: Final = (
    "bind a Role of the namespace that needs it instead of a ClusterRole, or name the Secrets under `resourceNames`"
)
