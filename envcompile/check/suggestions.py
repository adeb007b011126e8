"""What somebody may have meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable


def suggestion(name: str, known: Iterable[str]) -> str:
    """`did you mean …? ` for a name that is close to a known one; empty otherwise."""
    near = nearest(name, known, limit=1)
    return f"did you mean `{near[0]}`? Else " if near else ""
