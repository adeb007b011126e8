"""Finds the values inside the text of a ConfigMap entry.

A value is what stands behind `key=` or `key:`. In other lines, as nginx, redis, fluent-bit, haproxy, sshd or a shell
have them, it is what stands behind the first word, where environments differ in it; where lines have not even that in
common, the whole line is the value. A switch is left for lines that are there or not.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Final

from envcompile.chart.lists import merged_order
from envcompile.chart.names import camel, key_of
from envcompile.chart.scalars import block_header, fits_block
from envcompile.record import Record
from envcompile.values import ABSENT

_LINE = re.compile(r"(?P<lead>\s*(?:- )?(?P<key>[A-Za-z0-9_][A-Za-z0-9_./-]*)\s*(?P<sign>[=:])[ \t]*)(?P<value>.*)")
_HEAD = re.compile(
    r"(?P<lead>\s*(?:- )?(?:--?)?(?P<key>[A-Za-z_$@.]?[A-Za-z0-9_][A-Za-z0-9_./-]*)(?:\s*[=:][ \t]*|[ \t]+))"
    r"(?P<value>\S.*)"
)
"""The first word of a line of directives, options or commands."""
_TAILS: Final = (" \\", ";", ",")
"""What ends a line without being part of what it says."""
_WORD = re.compile(r"[A-Za-z0-9]+")
_COMMENT = re.compile(r"\s*(?:[#;!].*)?")
_PROPERTIES: Final = (".properties", ".env")
_MOST_EXPOSED: Final = 60
_LEAST_KEPT: Final = 0.5
"""When more of a long text than this differs, the text is easier to read as a whole."""


class Piece(Record, frozen=True):
    """Literal text, then a value by environment.

    `line` is what stands before the value on a line of its own that some environments leave out; None for a value
    that always follows the literal text. Whole lines without a value, such as comments, have the values True and
    False. `values` is None after the last piece.
    """

    literal: str
    key: str
    values: dict[int, Any] | None
    line: str | None = None


class _Row(Record, frozen=True):
    """One line over all environments."""

    lead: str
    key: str
    values: dict[int, str]
    tail: str = ""
    """What stands behind every value."""


def _keyed(line: str) -> tuple[str, str, str] | None:
    """What stands before the value, the key, and the value of a line that can carry one."""
    found = _LINE.fullmatch(line)
    if found is None or not found["value"] or found["value"] != found["value"].strip():
        return None
    return found["lead"], found["key"], found["value"]


def is_properties(name: str, text: str) -> bool:
    """Whether an entry is a list of `key=value` lines and comments, short enough to show in values.yaml."""
    if not name.endswith(_PROPERTIES):
        return False
    lines = text.rstrip("\n").split("\n")
    return len(lines) <= _MOST_EXPOSED and all(_COMMENT.fullmatch(line) or _LINE.fullmatch(line) for line in lines)


def _rows(texts: dict[int, str]) -> list[_Row] | None:
    """The lines of all texts in one order; lines with one key are one row. None when the orders contradict."""
    parts = {text: [_keyed(line) or (line, "", "") for line in _lines(text)] for text in {*texts.values()}}
    rows = _in_one_order({index: parts[text] for index, text in texts.items()})
    return None if rows is None else _without_runs(rows, list(texts))


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n")


def _in_one_order(parts: dict[int, list[tuple[str, str, str]]]) -> list[_Row] | None:
    """Rows of lines that are taken apart, the nth of one lead in each text together; None when orders contradict.

    Args:
        parts: of each text its lines in order: what stands before the value, the key, and the value; of texts that are
            the same the same list.
    """
    sequences: dict[int, list[str]] = {}
    found: dict[str, _Row] = {}
    for index, lines in parts.items():
        labels = sequences.get(id(lines))
        if labels is None:
            labels = sequences[id(lines)] = _labelled(lines)
        for label, (lead, key, value) in zip(labels, lines, strict=True):
            if label not in found:
                found[label] = _Row(lead, key, {})
            found[label].values[index] = value
    order = merged_order([*sequences.values()])
    return None if order is None else [found[label] for label in order]


def _labelled(lines: list[tuple[str, str, str]]) -> list[str]:
    """What tells lines that are taken apart from each other: what stands before the value, and how often it did."""
    seen: Counter[str] = Counter()
    labels = []
    for lead, key, _ in lines:
        seen[lead] += 1
        labels.append(f"{lead}\n{bool(key)}\n{seen[lead]}")
    return labels


def _without_runs(rows: list[_Row], environments: list[int]) -> list[_Row]:
    """The rows, with lines that stand in one place and say one thing of each environment joined to one row."""
    found: list[_Row] = []
    run: list[_Row] = []
    for row in rows:
        if not row.key and len(row.values) < len(environments):
            run.append(row)
            continue
        found += [*_joined(run, environments), row]
        run = []
    return [*found, *_joined(run, environments)]


def _joined(run: list[_Row], environments: list[int]) -> list[_Row]:
    """Lines that only some environments have, with nothing between them that all have."""
    if len(run) < 2:
        return run
    lines = [[row.lead for row in run if index in row.values] for index in environments]
    rows = _in_one_order({index: list(map(_headed, each)) for index, each in zip(environments, lines, strict=True)})
    if rows is None:
        return run
    told = [_told(row, environments) for row in rows]
    if any(row.key for row in told):
        return told
    if len({len(each) for each in lines}) > 1 or len(lines[0]) == len(run):
        return told
    # As many lines of each environment, and nothing that they begin with alike: they stand for each other as they come.
    return [_whole(dict(zip(environments, each, strict=True))) for each in zip(*lines, strict=True)]


def _whole(lines: dict[int, str]) -> _Row:
    """A row whose values are whole lines, behind the blanks that all begin with."""
    lead = min((line[: len(line) - len(line.lstrip())] for line in lines.values()), key=len)
    if not all(line.startswith(lead) for line in lines.values()):
        lead = ""
    is_comment = all(_COMMENT.fullmatch(line) for line in lines.values())
    return _Row(lead, "comment" if is_comment else "line", {index: line[len(lead) :] for index, line in lines.items()})


def _headed(line: str) -> tuple[str, str, str]:
    """What stands before a value, the key of the first word, and the value; the line alone where there is none."""
    found = _HEAD.fullmatch(line)
    if found is None or found["value"] != found["value"].rstrip() or _COMMENT.fullmatch(line):
        return line, "", ""
    return found["lead"], camel(found["key"]), found["value"]


def _told(row: _Row, environments: list[int]) -> _Row:
    """A row of lines with one first word; where only some environments have it and say the same, it is there or not."""
    values = set(row.values.values())
    if not row.key or (len(row.values) < len(environments) and len(values) > 1):
        return row
    if len(row.values) < len(environments):
        return _Row(row.lead + values.pop(), "", dict.fromkeys(row.values, ""))
    for tail in _TAILS:
        if all(len(value) > len(tail) and value.endswith(tail) for value in values):
            return row._replace(
                values={index: value.removesuffix(tail) for index, value in row.values.items()}, tail=tail
            )
    return row


def _continues(piece: Piece, row: _Row) -> bool:
    """Whether a line without a value belongs to the lines of a piece: the same environments have it."""
    values = piece.values or {}
    return set(values.values()) == {True, False} and {index for index, here in values.items() if here} == set(
        row.values
    )


def _words(line: str) -> str:
    """A key for a whole line: its first words."""
    return camel("-".join(_WORD.findall(line)[:4]) or "lines")


def pieces(name: str, texts: dict[int, str]) -> tuple[Piece, ...] | None:
    """The text cut where environments differ, or at every value of a properties file; None when it must stay whole."""
    samples = list(dict.fromkeys(texts.values()))
    if "\n" not in samples[0].rstrip("\n"):
        return None
    if not all(fits_block(text) for text in samples) or len({block_header(text) for text in samples}) > 1:
        return None
    exposed = all(is_properties(name, text) for text in samples)
    if len(samples) == 1 and not exposed:
        return None
    rows = _rows(texts)
    if rows is None:
        return None
    differing = [row for row in rows if len(row.values) < len(texts) or len(set(row.values.values())) > 1]
    if not exposed and len(differing) > _LEAST_KEPT * len(rows):
        return None
    found: list[Piece] = []
    literal = ""
    for position, row in enumerate(rows):
        values = list(row.values.values())
        if len(row.values) < len(texts):
            if not position:
                return None
            if row.key:
                full = {index: row.values.get(index, ABSENT) for index in texts}
                found.append(Piece(literal, key_of(row.key), full, row.lead))
            elif literal or not found or not _continues(found[-1], row):
                here: dict[int, Any] = {index: index in row.values for index in texts}
                found.append(Piece(literal, _words(row.lead), here, row.lead))
            else:
                found[-1] = found[-1]._replace(line=f"{found[-1].line}\n{row.lead}")
            literal = ""
            continue
        literal += "\n" if position else ""
        if row.key and (exposed or any(value != values[0] for value in values)):
            found.append(Piece(literal + row.lead, key_of(row.key), dict(row.values)))
            literal = row.tail
        else:
            literal += row.lead + values[0] + row.tail
    return (*found, Piece(literal, "", None)) if found else None
