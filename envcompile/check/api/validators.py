"""Every validator by the full name of the type of the API that it looks at."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

from envcompile.check.api import meta
from envcompile.check.api.book import full_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.api.quiet import Quiet
    from envcompile.check.api.refusal import Validator

_MODULES: Final[Mapping[str, tuple[str, ...]]] = {
    "admissionregistration": ("admission", "expressions"),
    "apiextensions": ("admission", "definitions"),
    "apiregistration": ("objects",),
    "apps": ("objects", "workloads"),
    "autoscaling": ("scaling",),
    "batch": ("workloads",),
    "certificates": ("objects",),
    "core": (
        "containers", "objects", "podnotes", "pods", "resources", "scheduling", "selectors", "services", "storage",
        "volumes", "workloads",
    ),
    "discovery": ("networking",),
    "events": ("objects",),
    "flowcontrol": ("flowcontrol",),
    "meta": ("selectors",),
    "networking": ("networking",),
    "node": ("resources",),
    "rbac": ("access",),
    "resource": ("devices", "expressions", "slices"),
    "scheduling": ("objects",),
    "storage": ("objects", "storage"),
}  # fmt: skip
"""Group of types -> the modules whose `RULES` say something of them; few builds need all of them."""

ROOTS: Final[tuple[Validator, ...]] = (meta.metadata,)
"""Asked about every object of a built-in kind."""


class _Validators(Mapping[str, "tuple[Validator, ...]"]):
    """Reads a module when a type of its group is met."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, tuple[Validator, ...]]] = {}

    def __getitem__(self, name: str) -> tuple[Validator, ...]:
        return self._of_group(_group(name))[name]

    def __iter__(self) -> Iterator[str]:
        return (name for group in _MODULES for name in self._of_group(group))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _of_group(self, group: str) -> dict[str, tuple[Validator, ...]]:
        known = self._known.get(group)
        if known is None:
            found: dict[str, list[Validator]] = {}
            for module in _MODULES.get(group, ()):
                rules: Mapping[str, Validator] = import_module(f"envcompile.check.api.{module}").RULES
                for name, validator in rules.items():
                    if name.partition(".")[0] == group:
                        found.setdefault(full_name(name), []).append(validator)
            known = self._known[group] = {name: tuple(validators) for name, validators in found.items()}
        return known


def _group(name: str) -> str:
    """`core` of `io.k8s.api.core.v1.Pod`."""
    return name.rsplit(".", 3)[-3] if name.count(".") > 2 else ""


VALIDATORS: Final[Mapping[str, tuple[Validator, ...]]] = _Validators()
"""Full name of a type -> what looks at its values."""


@lru_cache(maxsize=1)
def quiet_answers() -> Mapping[str, Quiet]:
    """Full name of a usual type -> what tells of most of its maps that validators say nothing; read when asked for."""
    from envcompile.check.api.quiet import QUIET

    return QUIET
