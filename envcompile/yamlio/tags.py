"""Scalars with an explicit tag, as go-yaml v2 reads them."""

from __future__ import annotations

import re
from typing import Any, Final

from envcompile.yamlio.scalars import NotJsonError, resolve

STANDARD: Final = "tag:yaml.org,2002:"
_TIMESTAMP: Final = re.compile(
    r"[0-9]{4}-(0?[1-9]|1[0-2])-(0?[1-9]|[12][0-9]|3[01])"
    r"([Tt]([01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9](\.[0-9]+)?(Z|[-+][0-9]{2}:[0-9]{2})"
    r"| ([01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9](\.[0-9]+)?)?",
    re.ASCII,
)


def tagged(tag: str, text: str) -> Any:
    """The value of a scalar with an explicit tag; tags that Go does not know leave the text as it is.

    Raises:
        NotJsonError: when the text is not of the type the tag names.
    """
    name = tag.removeprefix(STANDARD) if tag.startswith(STANDARD) else ""
    if name == "binary":
        return _binary(text)
    if name not in {"null", "bool", "int", "float", "timestamp"}:
        return text
    value = resolve(text)
    kind = type(value)
    if name == "null" and value is None:
        return None
    if kind.__name__ == name:
        return value
    if name == "float" and kind is int and value < 1 << 63:
        return float(value)
    if name == "timestamp" and _TIMESTAMP.fullmatch(text):
        return text
    raise NotJsonError(f"the tag `!!{name}` stands before something that is not of this type", "remove the tag")


def _binary(text: str) -> str:
    from base64 import b64decode
    from binascii import Error

    try:
        data = b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except (Error, ValueError) as error:
        raise NotJsonError("the text after `!!binary` is not base64", "correct it, or remove the tag") from error
    # Go's JSON encoder replaces every single byte that is not UTF-8.
    return re.sub(r"[\udc80-\udcff]", "\ufffd", data.decode("utf-8", "surrogateescape"))
