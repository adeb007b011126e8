"""Finds the values inside the text of a ConfigMap entry: the part behind `key=` or `key:` of its lines."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from envcompile.chart.names import key_of
from envcompile.chart.scalars import block_header, fits_block

_LINE = re.compile(r"(?P<lead>\s*(?:- )?(?P<key>[A-Za-z0-9_][A-Za-z0-9_./-]*)\s*(?P<sign>[=:])[ \t]*)(?P<value>.*)")
_COMMENT = re.compile(r"\s*(?:[#;!].*)?")
_PROPERTIES: Final = (".properties", ".env")
_MOST_EXPOSED: Final = 60


class Piece(NamedTuple):
    """Literal text, then a value by environment (None after the last piece)."""

    literal: str
    key: str
    values: dict[int, str] | None


def _keyed(line: str) -> tuple[str, str, str] | None:
    """What stands before the value, the key, and the value of a line."""
    found = _LINE.fullmatch(line)
    return (found["lead"], found["key"], found["value"]) if found else None


def is_properties(name: str, text: str) -> bool:
    """Whether an entry is a list of `key=value` lines and comments, short enough to show in values.yaml."""
    if not name.endswith(_PROPERTIES) and name != ".env":
        return False
    lines = text.rstrip("\n").split("\n")
    return len(lines) <= _MOST_EXPOSED and all(_COMMENT.fullmatch(line) or _keyed(line) for line in lines)


def pieces(name: str, texts: dict[int, str]) -> tuple[Piece, ...] | None:
    """The text cut where environments differ, or at every value of a properties file; None when it must stay whole."""
    samples = list(texts.values())
    if not all(fits_block(text) for text in samples) or len({block_header(text) for text in samples}) > 1:
        return None
    if "\n" not in samples[0].rstrip("\n"):
        return None
    exposed = all(is_properties(name, text) for text in samples)
    lines = {index: text.split("\n") for index, text in texts.items()}
    length = len(next(iter(lines.values())))
    if any(len(own) != length for own in lines.values()):
        return None
    found: list[Piece] = []
    literal = ""
    for position in range(length):
        row = {index: own[position] for index, own in lines.items()}
        first = next(iter(row.values()))
        same = all(line == first for line in row.values())
        cut = {index: _keyed(line) for index, line in row.items()}
        lead = cut[next(iter(cut))]
        if lead is None or any(parts is None or parts[:2] != lead[:2] for parts in cut.values()):
            if not same:
                return None
            literal += first
        elif same and not (exposed and lead[2]):
            literal += first
        else:
            values = {index: parts[2] for index, parts in cut.items() if parts is not None}
            if any(value != value.strip() or not value for value in values.values()):
                if not same:
                    return None
                literal += first
            else:
                found.append(Piece(literal + lead[0], key_of(lead[1]), values))
                literal = ""
        if position < length - 1:
            literal += "\n"
    return (*found, Piece(literal, "", None)) if found else None
