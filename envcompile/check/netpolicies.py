"""The network policies of an environment."""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from envcompile.check.check_input import CheckInput
    from envcompile.model import Resource


NETWORKING: Final = "networking.k8s.io"
OTHER_POLICIES: Final = (
    ("cilium.io", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"),
    ("crd.projectcalico.org", "NetworkPolicy", "GlobalNetworkPolicy"),
    ("projectcalico.org", "NetworkPolicy", "GlobalNetworkPolicy"),
    ("policy.networking.k8s.io", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy"),
)
"""Policies of network plugins, which this module does not read: where they are, nothing is called missing."""


def policies_of(inputs: CheckInput) -> list[Resource]:
    """Those of Kubernetes itself."""
    return inputs.of_kind(NETWORKING, "NetworkPolicy")


def has_other_policies(inputs: CheckInput) -> bool:
    """Tell whether there are policies of network plugins."""
    return any(starmap(inputs.of_kind, OTHER_POLICIES))
