"""What all documents have in common."""

from __future__ import annotations

from typing import Literal

import msgspec


class Shape(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A part of a document."""


class Document(Shape, frozen=True, kw_only=True):
    """A whole document."""

    format_version: Literal[1]
    """The version of the shape."""


class Resource(Shape, frozen=True, kw_only=True):
    """What makes a Kubernetes object the same object."""

    group: str
    kind: str
    namespace: str
    """Empty for a resource of the whole cluster."""
    name: str


class Place(Shape, frozen=True, kw_only=True):
    """A place in a source file; line and column count from 1."""

    file: str
    line: int
    column: int
