"""The roles of an environment, rule by rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.grants import BUILT_IN, powers_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.grants import Power
    from envcompile.model import Resource


RBAC: Final = "rbac.authorization.k8s.io"


def roles(inputs: CheckInput) -> Iterator[tuple[Resource, Power]]:
    """Every rule of the Roles and ClusterRoles of the environment, without the cluster's own."""
    for role in inputs.of_kind(RBAC, "Role", "ClusterRole"):
        if role.id.name not in BUILT_IN and not role.id.name.startswith("system:"):
            for power in powers_of(role):
                yield role, power
