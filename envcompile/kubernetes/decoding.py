"""Texts and numbers as Go reads them: amounts, times, base64, and how large a number may be.

Sources: staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go and suffix.go; pkg/apis/meta/v1/time.go and
micro_time.go; encoding/base64 and encoding/json of Go.
"""

from __future__ import annotations

import binascii
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

_QUANTITY: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+|)", re.ASCII)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_MICRO: Final = 7
"""Characters of a dot and six digits."""


@cache
def formats() -> Mapping[str, Mapping[str, str]]:
    """Read which fields are int64, base64 (`byte`) or a time: type -> field -> format."""
    said = msgspec.json.decode((Path(__file__).parent / "formats.json").read_bytes())
    types: Mapping[str, Mapping[str, str]] = said["types"]
    return types


def misread(value: Any, type_: str, form: str) -> str | None:
    """Say why a value of the right type cannot be read; None for one that can.

    Args:
        value: a number or text.
        type_: `integer`, `int-or-string`, `quantity` or `string`.
        form: `int64`, `byte`, `time`, `microtime`, or empty for a plain text or an int32.
    """
    if type_ == "quantity":
        return _quantity(value)
    if type_ in {"integer", "int-or-string"} and isinstance(value, int | float) and not isinstance(value, bool):
        bits = 63 if form == "int64" else 31
        if -(2**bits) <= value < 2**bits:
            return None
        what = f"does not fit into {bits + 1} bits"
        return f"{what}: applied it becomes {cut(value, form)}" if type_ == "integer" else what
    if type_ != "string" or not isinstance(value, str):
        return None
    match form:
        case "byte":
            return _base64(value)
        case "time" | "microtime":
            return _time(value, micro=form == "microtime")
        case _:
            return None


def cut(value: float, form: str) -> int:
    """What a server-side apply makes of a number: one that is too large loses its upper bits, as Go converts numbers.

    A create refuses such a number. `form` is `int64`, or empty for an int32.
    """
    bits = 63 if form == "int64" else 31
    whole = int(value) if -(2.0**63) <= value < 2.0**63 else -(2**63)
    top = 1 << bits
    return (whole + top) % (2 * top) - top


def _quantity(value: Any) -> str | None:
    if isinstance(value, str) and _QUANTITY.fullmatch(value.strip(" ")) is None:
        return "is no quantity, such as `500m`, `1.5` or `64Mi`"
    return None


def _base64(text: str) -> str | None:
    plain = text.replace("\n", "").replace("\r", "")
    try:
        if len(plain) % 4:
            return "is not base64"
        binascii.a2b_base64(plain, strict_mode=True)
    except ValueError:
        return "is not base64"
    return None


def _time(text: str, *, micro: bool) -> str | None:
    from datetime import datetime  # few objects hold a time

    match = _TIME.fullmatch(text)
    wanted = "2026-01-02T03:04:05.000000Z" if micro else "2026-01-02T03:04:05Z"
    if match is None or (micro and len(match[1] or "") != _MICRO):
        return f"is no time such as `{wanted}`"
    try:
        datetime.fromisoformat(text[:19] + (match[2] if match[2] != "Z" else "+00:00"))
    except ValueError:
        return f"is no time such as `{wanted}`"
    return None
