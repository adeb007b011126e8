"""Bytes to values: decodes, then tries the quick readers before the complete one."""

from __future__ import annotations

import re
from typing import Any, Final

from envcompile.yamlio.lines import UnusualError, load_lines

_MARKER: Final = re.compile(r"^(?=---(?:[ \t\n]|\Z))", re.MULTILINE)
# Where `---` at the start of a line may not be the border of two documents that can be read each on its own.
_BOUND_TOGETHER: Final = re.compile(r"^(?:%|\.\.\.)|[\r\x85\u2028\u2029]", re.MULTILINE)


def load_all(data: bytes, file: str, *, last_wins: bool = False) -> list[Any]:
    """Every document of a YAML or JSON file in order, None for an empty one; values are what kubectl reads.

    Values may share maps and lists where the file uses aliases: nobody may change what was loaded.

    Args:
        data: the file's bytes, UTF-8 with or without a byte order mark.
        file: the name of the file in messages.
        last_wins: take the last value of a repeated key, as kubectl and Helm do, instead of refusing the file.

    Raises:
        EnvcError: with file, line and column when the file cannot be read.
    """
    from envcompile.yamlio.encoding import decoded

    text = decoded(data, file)
    try:
        if text.startswith(("{", "[")):
            from envcompile.yamlio.jsontext import load_json

            return [load_json(text)]
        return load_lines(text)
    except UnusualError:
        pass
    from yaml import YAMLError

    from envcompile.yamlio.events import ContainerKeyError, RefusedError, RepeatedKeyError, load_events

    try:
        documents = _by_document(text, last_wins=last_wins)
        return load_events(text, last_wins=last_wins) if documents is None else documents
    except (RefusedError, RepeatedKeyError, ContainerKeyError, YAMLError) as error:
        from envcompile.yamlio.problems import explained

        raise explained(error, text, file) from error


def _by_document(text: str, *, last_wins: bool) -> list[Any] | None:
    """The documents of a stream of several, each by the quickest reader that can; None when that is not certain.

    An error is left to a reading of the whole stream, whose places are those of the file.
    """
    from yaml import YAMLError

    from envcompile.yamlio.events import ContainerKeyError, RefusedError, RepeatedKeyError, load_events

    pieces = _MARKER.split(text)
    if len(pieces) < 3 or _BOUND_TOGETHER.search(text):
        return None
    documents: list[Any] = []
    for piece in pieces:
        try:
            documents += load_lines(piece)
        except UnusualError:
            try:
                documents += load_events(piece, last_wins=last_wins)
            except (RefusedError, RepeatedKeyError, ContainerKeyError, YAMLError):
                return None
    return documents
