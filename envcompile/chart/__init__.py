"""Makes one Helm chart of all environments, proves that it is equal, and converts anyone's manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from envcompile.chart.conversion import Conversion, convert
    from envcompile.chart.emission import emit
    from envcompile.chart.intake import parse_sources, read
    from envcompile.chart.shapes import ChartInput, ChartOptions
    from envcompile.chart.size import release_size, size_warning
    from envcompile.chart.verification import Helm, Row, find_helms, verify

__all__ = [
    "ChartInput",
    "ChartOptions",
    "Conversion",
    "Helm",
    "Row",
    "convert",
    "emit",
    "find_helms",
    "parse_sources",
    "read",
    "release_size",
    "size_warning",
    "verify",
]

_HOMES = {  # ruff: ignore[non-empty-init-module] - names are imported when first used: start-up is part of the product
    "ChartInput": "shapes",
    "ChartOptions": "shapes",
    "Conversion": "conversion",
    "Helm": "verification",
    "Row": "verification",
    "convert": "conversion",
    "emit": "emission",
    "find_helms": "verification",
    "parse_sources": "intake",
    "read": "intake",
    "release_size": "size",
    "size_warning": "size",
    "verify": "verification",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"envcompile.chart.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
