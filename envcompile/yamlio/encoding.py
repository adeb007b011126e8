"""Bytes to text, and characters to lines and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.errors import fail
from envcompile.model import Location

if TYPE_CHECKING:
    from envcompile.errors import EnvcError

_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_SAVE: Final = "save the file as UTF-8"


def place(text: str, index: int) -> tuple[int, int]:
    """Line and column from 1 of a character; lines end at LF, CRLF or a lone CR as in editors."""
    before = text[:index]
    if "\r" in before:
        before = before.replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def decoded(data: bytes, file: str) -> str:
    """The text of a file, without its byte order mark.

    Raises:
        EnvcError: for binary files, UTF-16, and bytes that are not UTF-8.
    """
    if data.startswith(_UTF16):
        raise fail("the file is UTF-16, not UTF-8", _SAVE, Location(file, 1, 1))
    nul = data.find(b"\0")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        if nul >= 0:
            raise _binary(data, nul, file) from error
        raise fail(
            f"the byte 0x{data[error.start]:02X} is not UTF-8", _SAVE, _place_of_byte(data, error.start, file)
        ) from error
    if nul >= 0:
        raise _binary(data, nul, file)
    return text.removeprefix("\ufeff")


def _place_of_byte(data: bytes, index: int, file: str) -> Location:
    before = data[:index].decode("utf-8", "replace").removeprefix("\ufeff")
    return Location(file, *place(before, len(before)))


def _binary(data: bytes, nul: int, file: str) -> EnvcError:
    return fail(
        "the file is not text: it holds a NUL byte",
        "envc reads YAML and JSON in UTF-8; move other files elsewhere",
        _place_of_byte(data, nul, file),
    )
