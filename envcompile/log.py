"""What was decided and why, told on stderr when somebody asks: `-v`, or `ENVC_LOG=info` or `debug`.

Loggers are those of the standard library, named `envc.ROOM`. While nobody asks, a decision costs one look at the
environment, and `logging` is not even imported. Arguments are names, paths, numbers and digests, never a value of a
Secret.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
"""Type checkers take it for true; importing `typing` would double the time of a build with nothing to do."""

if TYPE_CHECKING:
    import logging
    from typing import Final

VARIABLE: Final = "ENVC_LOG"
LEVELS: Final = ("info", "debug")
PROGRESS: Final = "ENVC_PROGRESS"
"""Set for the time in which somebody watches how far the work is."""


def is_on() -> bool:
    """Tell whether somebody wants to know, so that what is costly to put into words need not be."""
    return bool(os.environ.get(VARIABLE))


def decision(room: str, text: str, *arguments: object) -> None:
    """Tell what was decided, and why.

    Args:
        room: where it was decided; the logger's name is `envc.ROOM`.
        text: a sentence with `%s` for each argument.
        arguments: names and numbers, put into words only when they are printed.
    """
    if os.environ.get(VARIABLE):
        logger(room).info(text, *arguments)


def detail(room: str, text: str, *arguments: object) -> None:
    """Tell what only `ENVC_LOG=debug` shows: single steps, and how errors came about; as `decision` otherwise."""
    if os.environ.get(VARIABLE):
        logger(room).debug(text, *arguments)


def progress(what: str, done: int, total: int) -> None:
    """Tell whoever watches how far something is that may take long.

    Args:
        what: the things that are counted, in the plural.
        done: how many of them are done.
        total: how many there are.
    """
    if os.environ.get(PROGRESS):
        logger("progress").info("%s: %s of %s", what, done, total)


def hide_progress() -> None:
    """Take away what shows how far the work is, because something else is printed."""
    if os.environ.get(PROGRESS):
        for handler in logger("progress").handlers:
            handler.flush()


def logger(room: str) -> logging.Logger:
    """The standard library's logger `envc.ROOM`."""
    import logging

    return logging.getLogger(f"envc.{room}")
