"""What an environment calls its own: its name, its namespace and its parameters, found in the values that it has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.values import dotted, leaves

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ITSELF: Final = "itself"
"""Name and namespace are often the same word in one environment and two in another: both stand for it."""


class OwnWords(NamedTuple):
    """The words of one environment, each with what it stands for: the environment itself, or a parameter."""

    environment: str
    namespace: str
    words: Mapping[str, str]

    def neutral(self, text: str) -> str:
        """The text with a mark in the place of each own word; equal texts say the same of each one's own."""
        pattern = _pattern(self.words)
        return pattern.sub(lambda found: f"\0{self.words[found[0]]}\0", text) if pattern is not None else text

    def foreign(self, text: str, others: Iterable[OwnWords]) -> str:
        """The name or namespace of another environment that is a part of a name, such as a host; empty for none.

        A word that stands alone names nobody: `production` is a profile as well. Own parameters may have such parts
        (`letsencrypt-prod`), but for parts of hosts, which one environment does not lend to another.
        """
        own = {word for word, meaning in self.words.items() if meaning == ITSELF}
        named = {
            word for other in others for word, meaning in other.words.items() if meaning == ITSELF and word not in own
        }
        pattern = _pattern(named)
        if pattern is None:
            return ""
        masks = _pattern([word for word in self.words if not _is_host_of(word, pattern)])
        rest = masks.sub(lambda found: "\0" * len(found[0]), text) if masks is not None else text
        for found in pattern.finditer(rest):
            around = rest[max(0, found.start() - 1) : found.start()] + rest[found.end() : found.end() + 1]
            if any(mark in "./:@-_" for mark in around):
                return found[0]
        return ""


def _pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    """Finds any of the words, the longest first, where it stands for itself; None for no words."""
    listed = sorted(words, key=lambda word: (-len(word), word))
    if not listed:
        return None
    return re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, listed))})(?![A-Za-z0-9])")


def _is_host_of(word: str, named: re.Pattern[str]) -> bool:
    """Tell whether a parameter is a host, or holds one, with another environment's name between its dots."""
    found = named.search(word)
    if found is None:
        return False
    around = word[max(0, found.start() - 1) : found.start()] + word[found.end() : found.end() + 1]
    return "." in around


def own_words(environment: str, namespace: str, params: Mapping[str, Any]) -> OwnWords:
    """The words of an environment.

    Args:
        environment: its name.
        namespace: its namespace; empty for none.
        params: its parameters; texts without a letter are amounts and stand for nothing.
    """
    words: dict[str, str] = {}
    for pointer, value in leaves(params):
        if isinstance(value, str) and any(map(str.isalpha, value)):
            words.setdefault(value, f"params.{dotted(pointer)}")
    words |= dict.fromkeys([word for word in (environment, namespace) if word], ITSELF)
    return OwnWords(environment, namespace, words)
