"""Writes YAML for the generated repositories, independently of envc's own writer, which is what is measured."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PLAIN: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*\Z")
_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})


def yaml_document(value: Any) -> str:
    """One value as block YAML; strings that any reader could take for something else are quoted."""
    return "".join(f"{line}\n" for line in _block(value, ""))


def yaml_stream(documents: Iterable[Any]) -> str:
    """Several values as one stream."""
    return "---\n".join(map(yaml_document, documents))


def _block(value: Any, indent: str) -> Iterator[str]:
    """The lines of a map or list that is not empty."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict | list) and item:
                yield f"{indent}{_string(key)}:"
                yield from _block(item, f"{indent}  " if isinstance(item, dict) else indent)
            else:
                yield f"{indent}{_string(key)}: {_leaf(item, indent)}"
        return
    for item in value:
        if isinstance(item, dict | list) and item:
            lines = _block(item, f"{indent}  ")
            yield f"{indent}- {next(lines)[len(indent) + 2 :]}"
            yield from lines
        else:
            yield f"{indent}- {_leaf(item, indent)}"


def _leaf(value: Any, indent: str) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if value.endswith("\n") and not value.endswith("\n\n") and value[0] not in " \n\t":
        return "\n".join(["|", *(f"{indent}  {line}" for line in value[:-1].split("\n"))])
    return _string(value)


def _string(text: str) -> str:
    if _PLAIN.match(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)
