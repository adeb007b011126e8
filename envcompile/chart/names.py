"""Makes keys of values.yaml from the words of Kubernetes."""

from __future__ import annotations

import re
from functools import lru_cache

_MOST_REMEMBERED = 4096
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = re.compile(r"[A-Za-z0-9]+")
_NOT_IN_FILES = re.compile(r"[^A-Za-z0-9.]+")

MOST_KEYS = 5
"""No value lies deeper than this below its service."""


@lru_cache(maxsize=_MOST_REMEMBERED)
def camel(text: str) -> str:
    """A camelCase key that a Go template can spell: `accounts-db` gives `accountsDb`."""
    words = _WORDS.findall(text)
    if not words:
        return "x"
    head = words[0].lower() if words[0].isupper() else words[0][0].lower() + words[0][1:]
    key = head + "".join(word.capitalize() if word.isupper() else upper_first(word) for word in words[1:])
    return f"n{key}" if key[0].isdigit() else key


@lru_cache(maxsize=_MOST_REMEMBERED)
def key_of(name: str) -> str:
    """The source's own name where a Go template can spell it, else camelCase."""
    return name if _IDENTIFIER.fullmatch(name) else camel(name)


def label_key(name: str) -> str:
    """The key for a label or annotation: its name without the domain before the slash."""
    return key_of(name.rpartition("/")[2] or name)


def upper_first(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def kebab(kind: str) -> str:
    """A kind in lower case with dashes: `BackendConfig` gives `backend-config`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", kind).lower()


def plural(kind: str) -> str:
    """The camelCase plural of a kind, as feature flags say it."""
    word = kind[0].lower() + kind[1:]
    if word.isupper() or kind[:2].isupper():
        word = kind.lower()
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "ss", "x", "ch")) else "s")


def file_part(name: str) -> str:
    """A name as part of a file name; anything but letters, digits and dots becomes a dash."""
    return _NOT_IN_FILES.sub("-", name).strip("-.") or "x"


def shortened(path: tuple[str, ...], most: int = MOST_KEYS) -> tuple[str, ...]:
    """The path with its middle joined into one key where it has more keys than allowed."""
    if len(path) <= most:
        return path
    middle = path[2 : len(path) - (most - 3)]
    return (*path[:2], camel("-".join(middle)), *path[len(path) - (most - 3) :])
