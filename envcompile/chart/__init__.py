"""Makes one Helm chart of all environments, proves that it is equal, and converts anyone's manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from envcompile.chart.conversion import Conversion, convert
    from envcompile.chart.emission import Emitted, emit, emit_portions
    from envcompile.chart.intake import parse_sources, read
    from envcompile.chart.portions import Portion
    from envcompile.chart.shapes import ChartFacts, ChartInput, ChartOptions
    from envcompile.chart.size import release_size, release_warning, size_warning
    from envcompile.chart.verification import Helm, Verdict, find_helms, verify

__all__ = [
    "ChartFacts",
    "ChartInput",
    "ChartOptions",
    "Conversion",
    "Emitted",
    "Helm",
    "Portion",
    "Verdict",
    "convert",
    "emit",
    "emit_portions",
    "find_helms",
    "parse_sources",
    "read",
    "release_size",
    "release_warning",
    "size_warning",
    "verify",
]

_HOMES = {  # ruff: ignore[non-empty-init-module] - names are imported when first used: start-up is part of the product
    "ChartFacts": "shapes",
    "ChartInput": "shapes",
    "ChartOptions": "shapes",
    "Conversion": "conversion",
    "Emitted": "emission",
    "Helm": "verification",
    "Portion": "portions",
    "Verdict": "verification",
    "convert": "conversion",
    "emit": "emission",
    "emit_portions": "emission",
    "find_helms": "verification",
    "parse_sources": "intake",
    "read": "intake",
    "release_size": "size",
    "release_warning": "size",
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
