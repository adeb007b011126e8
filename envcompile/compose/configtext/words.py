"""The configuration of Redis and its relatives: a directive a line, its name and its arguments set off by blanks.

Source: https://github.com/redis/redis/blob/unstable/redis.conf and src/config.c, loadServerConfigFromString.
"""

from __future__ import annotations

import re
from typing import Final

from envcompile.compose.configtext.lines import Dialect, KeyLine, Section
from envcompile.compose.configtext.text import MalformedError, reject

_DIRECTIVE: Final = re.compile(r"[ \t]*+([A-Za-z][A-Za-z0-9-]*+)(?:[ \t]++(\S.*?))?[ \t]*+")
_WORD: Final = re.compile(r"\S+[ \t]*+")
_KEYED: Final = {"rename-command": 1, "client-output-buffer-limit": 1, "user": 1, "loadmodule": 1, "sentinel": 2}
"""Directives that stand once for each thing that their first arguments name: how many arguments that are."""
_TELLING: Final = frozenset({
    "appendfsync",
    "appendonly",
    "client-output-buffer-limit",
    "dbfilename",
    "masterauth",
    "maxmemory",
    "maxmemory-policy",
    "protected-mode",
    "rename-command",
    "replicaof",
    "requirepass",
    "sentinel",
    "slaveof",
    "tcp-backlog",
})
"""Directives that no other program has: a text without one of them may be anything made of words."""


def _scan(text: str) -> tuple[list[Section], list[KeyLine]]:
    entries: list[KeyLine] = []
    position = 0
    for line in text.split("\n")[:-1]:
        start, body = position, line.rstrip("\r")
        position += len(line) + 1
        if not body.strip() or body.lstrip()[0] == "#":
            continue
        match = _DIRECTIVE.fullmatch(body)
        if match is None or body.endswith(("{", ";", "\\")) or (match[2] or "").startswith(("=", ":")):
            reject(text, start, "a line is neither a comment nor a directive", "write `name argument…`")
        key, begin = match[1].lower(), match.start(2)
        for _ in range(_KEYED.get(key, 0) if match[2] else 0):
            word = _WORD.match(body, begin)
            if word is not None:
                key += f" {word[0].rstrip()}"
                begin = word.end()
        if match[2] is None:
            entries.append(KeyLine(0, key, None, "", start, start + match.end(1), start + match.end(1), position))
        else:
            end = match.end(2)
            begin = min(begin, end)
            entries.append(KeyLine(0, key, body[begin:end], " ", start, start + begin, start + end, position))
    return [Section("", 0, 0)], entries


WORDS: Final = Dialect(scan=_scan, comments="#", last_wins=False, indents=False, empty="")
"""How the configuration of Redis is read and written; all lines of one directive count together, as of `save`."""


def is_words(text: str, *, partial: bool = False) -> bool:
    """Whether a text is the configuration of Redis or a relative: directives only, one of which is its own.

    With `partial` it may be a part of one, which need not have a directive of its own.
    """
    try:
        _, entries = _scan(text if text.endswith("\n") else f"{text}\n")
    except MalformedError:
        return False
    return partial or any(entry.key.partition(" ")[0] in _TELLING for entry in entries)
