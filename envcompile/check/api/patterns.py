"""What Go's regular expressions (RE2) do not know that Python's do, in patterns of CustomResourceDefinitions."""

from __future__ import annotations

import re
from typing import Final

_CLASS: Final = re.compile(r"(\\.)|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]", re.DOTALL)
"""A character that is escaped, or a class of characters: in one, nothing is a group or repeats."""


def bad_pattern(pattern: str) -> str | None:
    """Say why a regular expression is none for Go (RE2); None for one that is, and where Python cannot tell."""
    outside = _CLASS.sub(lambda found: found[1] or "x", pattern)
    if re.search(r"\(\?(?:[=!]|<[=!])", outside):
        return "looks ahead or behind, which RE2 cannot"
    if re.search(r"(?<!\\)(?:\\\\)*\\[1-9]", pattern):
        return "refers back to a group, which RE2 cannot"
    if re.search(r"(?<!\\)(?:\\\\)*(?:[*+?]|\{\d+(?:,\d*)?\})[*+]", outside):
        return "repeats a repetition"
    if any(int(number) > 1000 for number in re.findall(r"\{(?:\d+,)?(\d+)\}", pattern)):
        return "repeats more than 1000 times"
    unknown = re.search(r"\\[pP]\{\^?(\w+)\}", pattern)
    if unknown is not None and not _is_class(unknown[1]):
        return "names a class of characters that there is not"
    plain = re.sub(r"\\[pP](?:\{\^?\w+\}|[A-Z])", "a", pattern)
    plain = re.sub(r"\[\[:\^?\w+:\]", "[a", plain).replace(r"\z", r"\Z").replace("(?<", "(?P<").replace("(?s)", "")
    plain = re.sub(r"\(\?[imsU]+\)", "", plain)
    try:
        re.compile(plain)
    except (re.error, OverflowError, RecursionError):
        return "is no regular expression"
    return None


def _is_class(name: str) -> bool:
    return name in _CLASSES or (name[:1].isupper() and name[1:].islower() and name in _SCRIPTS)


_CLASSES: Final = frozenset([
    "C",
    "Cc",
    "Cf",
    "Co",
    "Cs",
    "L",
    "Ll",
    "Lm",
    "Lo",
    "Lt",
    "Lu",
    "M",
    "Mc",
    "Me",
    "Mn",
    "N",
    "Nd",
    "Nl",
    "No",
    "P",
    "Pc",
    "Pd",
    "Pe",
    "Pf",
    "Pi",
    "Po",
    "Ps",
    "S",
    "Sc",
    "Sk",
    "Sm",
    "So",
    "Z",
    "Zl",
    "Zp",
    "Zs",
])


_SCRIPTS: Final = frozenset([
    "Arabic",
    "Armenian",
    "Bengali",
    "Common",
    "Cyrillic",
    "Devanagari",
    "Greek",
    "Han",
    "Hangul",
    "Hebrew",
    "Hiragana",
    "Katakana",
    "Latin",
    "Thai",
])
