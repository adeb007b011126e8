"""Writes which certificate is used into environment.yaml and leaves every other line as it is."""

from __future__ import annotations

import re
from typing import Any

from envcompile.errors import fail
from envcompile.model import Location


def pinned(data: bytes, file: str, text: str, name: str = "fingerprint") -> bytes:
    """The text of environment.yaml with one setting of `sealing` set.

    Args:
        data: the file's bytes.
        file: its name, for messages.
        text: the value: plain YAML, such as a fingerprint.
        name: the setting.

    Raises:
        EnvcError: when the file is laid out so that one line cannot be set safely; the message has the line to write.
    """
    from envcompile import yamlio

    before = yamlio.load_all(data, file)[0]
    sealing = before.get("sealing") if isinstance(before, dict) else None
    if isinstance(sealing, dict) and sealing.get(name) == text:
        return data
    lines = data.decode().splitlines(keepends=True)
    place = yamlio.locate(data, 0, ("sealing", name))
    if place is not None:
        row, column = place[0] - 1, place[1] - 1
        lines[row] = lines[row][:column] + re.sub(r"^(\"[^\"]*\"|'[^']*'|[^\s,}#]+)", text, lines[row][column:])
    elif isinstance(sealing, dict) and sealing:
        first = yamlio.locate(data, 0, ("sealing", next(iter(sealing))), key=True) or (1, 1)
        line = lines[first[0] - 1]
        before_key = line[: first[1] - 1]
        if before_key.strip():
            lines[first[0] - 1] = f"{before_key}{name}: {text}, {line[first[1] - 1 :]}"
        else:
            lines.insert(first[0] - 1, f"{before_key}{name}: {text}\n")
    elif sealing is None and isinstance(before, dict) and "sealing" not in before:
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        lines.append(f"sealing:\n  {name}: {text}\n")
    after = "".join(lines).encode()
    if _read(after, file) != _expected(before, name, text):
        raise fail(
            f"the {name} cannot be written into {file} without touching other lines",
            f"write it yourself: `sealing: {{{name}: {text}}}`",
            Location(file, 1, 1),
        )
    return after


def _read(data: bytes, file: str) -> Any:
    from envcompile import yamlio
    from envcompile.errors import EnvcError

    try:
        return yamlio.load_all(data, file)[0]
    except EnvcError:
        return None


def _expected(before: Any, name: str, text: str) -> Any:
    sealing = before.get("sealing") if isinstance(before, dict) else None
    return {**before, "sealing": {**(sealing or {}), name: text}} if isinstance(before, dict) else None
