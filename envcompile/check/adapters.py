"""The configuration of Prometheus adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile import yamlio
from envcompile.check.reading import strings_at
from envcompile.errors import EnvcError

if TYPE_CHECKING:
    from envcompile.check.check_input import CheckInput
    from envcompile.model import Resource


LISTS: Final = ("rules", "externalRules")


class Adapter(NamedTuple):
    """The configuration of a Prometheus adapter: an entry of a ConfigMap."""

    resource: Resource
    key: str
    value: dict[str, Any]


def adapters(inputs: CheckInput) -> list[Adapter]:
    """Every configuration of the Prometheus adapter in the environment."""
    found = []
    for config in inputs.of_kind("", "ConfigMap"):
        for key, text in strings_at(config.value, "data").items():
            # Most ConfigMaps are something else, and reading YAML is slow.
            if "seriesQuery" not in text or not any(name in text for name in ("rules:", "externalRules:")):
                continue
            try:
                [value] = yamlio.load_all(text.encode(), f"{config.id.short} {key}")
            except (EnvcError, ValueError):
                continue
            if isinstance(value, dict) and any(name in value for name in LISTS):
                found.append(Adapter(config, key, value))
    return found
