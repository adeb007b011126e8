"""What a scan finds, and which values are no find: references, parameters, nothing at all."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from envcompile.secrets.references import holds_reference

IN_CLEAR = "plaintext-secret"
FIX = "write a reference and seal it, or declare the key harmless by `envcompile.dev/plaintext`"
_PARAMETER = re.compile(r"\$\{\{\s*params\.[\w.-]+\s*\}\}")


class Leak(NamedTuple):
    """Something that must not be committed, without a word of it."""

    file: str
    line: int
    rule: str
    what: str
    fix: str


def is_no_literal(value: Any) -> bool:
    """Whether a value of a Secret gives nothing away: it is empty, a reference or a parameter."""
    if value is None or value == "":
        return True
    return isinstance(value, str) and (_PARAMETER.fullmatch(value.strip()) is not None or is_reference(value))


def is_reference(text: str) -> bool:
    """Whether a text is a reference."""
    return text.startswith(("ref+", "secretref+")) and holds_reference(text)
