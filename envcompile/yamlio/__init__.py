"""Reads and writes YAML the way kubectl understands it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from envcompile.yamlio import edit
    from envcompile.yamlio.emit import Renderer, dump
    from envcompile.yamlio.load import load_all, load_literally
    from envcompile.yamlio.positions import block_lines, locate, locate_nearest

__all__ = ["Renderer", "block_lines", "dump", "edit", "load_all", "load_literally", "locate", "locate_nearest"]

_HOMES = {  # ruff: ignore[non-empty-init-module] - names are imported when first used: start-up is part of the product
    "Renderer": "emit",
    "block_lines": "positions",
    "dump": "emit",
    "load_all": "load",
    "load_literally": "load",
    "locate": "positions",
    "locate_nearest": "positions",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "edit":
        return import_module("envcompile.yamlio.edit")
    if name in _HOMES:
        value = getattr(import_module(f"envcompile.yamlio.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
