"""Bytes to values: decodes, then tries the quick readers before the complete one."""

from __future__ import annotations

from typing import Any

from envcompile.yamlio.lines import UnusualError, load_lines


def load_all(data: bytes, file: str) -> list[Any]:
    """Every document of a YAML or JSON file in order, None for an empty one; values are what kubectl reads.

    Values may share maps and lists where the file uses aliases: nobody may change what was loaded.

    Args:
        data: the file's bytes, UTF-8 with or without a byte order mark.
        file: the name of the file in messages.

    Raises:
        EnvcError: with file, line and column when the file cannot be read.
    """
    from envcompile.yamlio.problems import decoded, explained

    text = decoded(data, file)
    try:
        if text.startswith("{"):
            from envcompile.yamlio.jsontext import load_json

            return [load_json(text)]
        return load_lines(text)
    except UnusualError:
        pass
    from yaml import YAMLError

    from envcompile.yamlio.events import load_events
    from envcompile.yamlio.problems import ContainerKeyError, Refused, RepeatedKeyError

    try:
        return load_events(text)
    except (Refused, RepeatedKeyError, ContainerKeyError, YAMLError) as error:
        raise explained(error, text, file) from error
