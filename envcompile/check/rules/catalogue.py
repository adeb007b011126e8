"""Every rule, by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.rules import (
    autoscaling,
    containers,
    disruption,
    hygiene,
    images,
    ingress,
    keda,
    metrics,
    network,
    podsecurity,
    probes,
    rbac,
    references,
    rollout,
    sealing,
    secrecy,
    selection,
    versions,
)

if TYPE_CHECKING:
    from envcompile.check.rule import Rule

SUBJECTS: Final = (
    sealing,
    secrecy,
    rbac,
    podsecurity,
    references,
    selection,
    network,
    ingress,
    autoscaling,
    keda,
    metrics,
    disruption,
    rollout,
    containers,
    images,
    probes,
    versions,
    hygiene,
)
"""The modules of rules, in the order of the guide's page."""

RULES: Final[tuple[Rule, ...]] = tuple(
    sorted((rule for subject in SUBJECTS for rule in subject.RULES), key=lambda rule: rule.id)
)
"""All rules in the order of their ids."""
