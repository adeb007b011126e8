"""The door to a page: every value that a template prints passes here, whoever wrote it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from markupsafe import escape

from envcompile.text import escaped

if TYPE_CHECKING:
    from markupsafe import Markup

LONGEST: Final = 2_000
"""Characters of a value that a page shows: a text of a megabyte takes a browser seconds to lay out."""
_SHORT: Final = 200
"""Characters of a text that is said again."""


def inert(value: Any) -> Any:
    """What a template may print: markup that a template made as it is, everything else as text that does nothing.

    Control characters, and those that turn the direction of reading, are shown as escapes; what is longer than a page
    can show is cut, and says so. Markup in it is escaped, so the template engine leaves it as it is.

    Raises:
        TypeError: a template prints something that is neither text nor a number, such as nothing at all.
    """
    if hasattr(value, "__html__"):
        return value
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise TypeError(f"a page cannot print a {type(value).__name__}")
    text = str(value)
    if len(text) > _SHORT:
        return _escaped(text)
    return _inert(text)


@lru_cache(maxsize=16_384)
def _inert(text: str) -> Markup:
    """A short text, escaped; pages say the same words over and over."""
    return _escaped(text)


def _escaped(text: str) -> Markup:
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… ({len(text):,} characters in all)"
    return escape(escaped(text))
