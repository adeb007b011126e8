"""Every validator by the full name of the type of the API that it looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.api import (
    access,
    admission,
    containers,
    definitions,
    devices,
    expressions,
    flowcontrol,
    meta,
    networking,
    objects,
    pods,
    resources,
    scaling,
    scheduling,
    selectors,
    services,
    storage,
    volumes,
    workloads,
)
from envcompile.check.api.book import full_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.refusal import Validator

_MODULES: Final = (
    access.RULES,
    admission.RULES,
    containers.RULES,
    definitions.RULES,
    devices.RULES,
    expressions.RULES,
    flowcontrol.RULES,
    networking.RULES,
    objects.RULES,
    pods.RULES,
    resources.RULES,
    scaling.RULES,
    scheduling.RULES,
    selectors.RULES,
    services.RULES,
    storage.RULES,
    volumes.RULES,
    workloads.RULES,
)

ROOTS: Final[tuple[Validator, ...]] = (meta.metadata,)
"""Asked about every object of a built-in kind."""

VALIDATORS: Final[Mapping[str, tuple[Validator, ...]]] = {
    full_name(name): tuple(rules[name] for rules in _MODULES if name in rules)
    for name in sorted({name for rules in _MODULES for name in rules})
}
"""Full name of a type -> what looks at its values."""
