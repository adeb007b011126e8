"""What the files of a layer are read for, and what comes of reading a whole layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.limits import DEFAULT_LIMITS
from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.limits import Limits
    from envcompile.model import Layer


class EnvironmentFacts(Record, frozen=True):
    """What the files of a layer may ask about the environment they are read for."""

    params: Mapping[str, Any]
    """Parameters as written; they may use each other."""
    jsonnet: Mapping[str, Any]
    """The object jsonnet gets."""
    digest: str
    """Of both."""
    limits: Limits = DEFAULT_LIMITS
    """What reading it may take."""


class LayerContents(Record, frozen=True):
    """A layer as one environment sees it, and the files that each of its files was computed from."""

    layer: Layer
    dependencies: dict[str, frozenset[str]]
