"""The log on stderr, for `-v` and `ENVC_LOG`; imported only when one of them asks for it."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

from envcompile.cli.output import tell
from envcompile.log import LEVELS, VARIABLE, detail
from envcompile.text import visible, without_passwords

if TYPE_CHECKING:
    from envcompile.cli.flags import Globals


class _ToPeople(logging.Handler):
    """Prints a record where people read; what it quotes from elsewhere cannot act there."""

    def emit(self, record: logging.LogRecord) -> None:  # ruff: ignore[no-self-use] - what logging calls
        words = without_passwords(visible(record.getMessage()))
        sys.stderr.write(f"{record.levelname.lower()}: {record.name}: {words}\n")


def listen(given: Globals) -> None:
    """Print the log from the level on that the command line or the environment names.

    The processes that this one starts listen, too: `-v` is `ENVC_LOG=info`.

    Args:
        given: what the command line says for every command.
    """
    level = os.environ.get(VARIABLE, "").lower()
    if not level and given.verbose:
        level = os.environ[VARIABLE] = "info"
    if not level:
        return
    if level not in LEVELS:
        tell(f"warning: {VARIABLE} is neither {' nor '.join(LEVELS)}; it is taken for info")
        level = "info"
    logger = logging.getLogger("envc")
    logger.handlers[:] = [_ToPeople()]
    logger.setLevel(level.upper())
    logger.propagate = False
    detail("cli", "envc %s", " ".join(given.rest))
