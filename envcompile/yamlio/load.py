"""Bytes to values: decodes, then tries the quick readers before the complete one."""

from __future__ import annotations

from typing import Any

from envcompile.yamlio.encoding import decoded
from envcompile.yamlio.lines import UnusualError, load_lines


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
    text = decoded(data, file)
    documents = _quickly(text, last_wins=last_wins)
    if documents is not None:
        return documents
    from yaml import YAMLError

    from envcompile.yamlio.events import ContainerKeyError, RefusedError, RepeatedKeyError, load_events

    try:
        return load_events(text, last_wins=last_wins)
    except (RefusedError, RepeatedKeyError, ContainerKeyError, YAMLError) as error:
        from envcompile.yamlio.problems import explained

        raise explained(error, text, file) from error


def load_literally(data: bytes, file: str) -> list[Any]:
    """The documents of a file that is no Kubernetes object: `<<` merges nothing, infinity is a number.

    A JSON file is read as `load_all` reads it.

    Raises:
        EnvcError: as `load_all`.
    """
    text = decoded(data, file)
    if text.lstrip().startswith("{"):
        return load_all(data, file)
    from yaml import YAMLError

    from envcompile.yamlio.events import ContainerKeyError, RefusedError, RepeatedKeyError, load_events

    try:
        return load_events(text, literal=True)
    except (RefusedError, RepeatedKeyError, ContainerKeyError, YAMLError) as error:
        from envcompile.yamlio.problems import explained

        raise explained(error, text, file) from error


def _quickly(text: str, *, last_wins: bool) -> list[Any] | None:
    """The documents of a stream, each by the quickest reader that can; None when the whole has to be read completely.

    An error is left to that reading too, because its places are those of the file.
    """
    if text.startswith(("{", "[")):
        from envcompile.yamlio.jsontext import load_json

        try:
            return [load_json(text)]
        except UnusualError:
            return None
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    pieces = _pieces(text)
    documents: list[Any] = []
    for piece in pieces:
        try:
            documents += load_lines(piece)
        except UnusualError:
            found = _completely(piece, last_wins=last_wins) if len(pieces) > 1 else None
            if found is None:
                return None
            documents += found
    return documents


def _pieces(text: str) -> list[str]:
    """The documents of a stream as texts that can be read each on its own, or the whole where that is not certain."""
    pieces = text.split("\n---")
    if len(pieces) == 1 or _is_bound_together(text):
        return [text]
    if any(piece and piece[0] not in " \t\n" for piece in pieces[1:]):
        return [text]
    return [
        *(f"---{piece}\n" if number else f"{piece}\n" for number, piece in enumerate(pieces[:-1])),
        f"---{pieces[-1]}",
    ]


def _is_bound_together(text: str) -> bool:
    """Whether there are directives, document ends, or line breaks that only YAML 1.1 knows."""
    if text.startswith(("%", "...")) or "\n%" in text or "\n..." in text or "\r" in text:
        return True
    return not text.isascii() and any(sign in text for sign in "\x85\u2028\u2029")


def _completely(piece: str, *, last_wins: bool) -> list[Any] | None:
    """One document by the complete reader; None when there is an error in it."""
    from yaml import YAMLError

    from envcompile.yamlio.events import ContainerKeyError, RefusedError, RepeatedKeyError, load_events

    try:
        return load_events(piece, last_wins=last_wins)
    except (RefusedError, RepeatedKeyError, ContainerKeyError, YAMLError):
        return None
