"""Looks into Go templates of hand-written SealedSecrets: which keys they use, which functions the controller lacks."""

from __future__ import annotations

import re
from typing import NamedTuple

_ACTION = re.compile(r"\{\{-?(.*?)-?\}\}", re.DOTALL)
_TEXT = re.compile(r'"(?:\\.|[^"\\])*"|`[^`]*`')
_INDEX = re.compile(r'\bindex\s+\$?\.?\s+("(?:\\.|[^"\\])*"|`[^`]*`)')
_FIELD = re.compile(r"(?<![\w.)$\]])(\$?)\.([A-Za-z_]\w*)")
_WORD = re.compile(r"(?<![\w.$])[A-Za-z]\w*")

FORBIDDEN = frozenset({"env", "expandenv", "getHostByName"})
"""Functions of sprig that the controller takes out, because they would read its own surroundings."""
_REBINDS = ("range", "with", "define", "block")
_OPENS = (*_REBINDS, "if")


class TemplateUse(NamedTuple):
    """What a template needs."""

    keys: frozenset[str]
    forbidden: frozenset[str]
    balanced: bool


def template_use(text: str) -> TemplateUse:
    """Find the keys that a template reads from the secret's values, and functions it may not call.

    Inside of `range` and `with` a dot is something else, so there only `$.KEY` counts.
    """
    keys: set[str] = set()
    forbidden: set[str] = set()
    blocks: list[str] = []
    balanced = text.count("{{") == text.count("}}")
    for action in _ACTION.findall(text):
        body = action.strip()
        if body.startswith("/*"):
            continue
        word = body.split(None, 1)[0] if body else ""
        rebound = any(block in _REBINDS for block in blocks)
        keys.update(found[1:-1] for found in _INDEX.findall(body))
        bare = _TEXT.sub('""', body)
        keys.update(name for root, name in _FIELD.findall(bare) if root or not rebound)
        forbidden.update(FORBIDDEN.intersection(_WORD.findall(bare)))
        if word in _OPENS:
            blocks.append(word)
        elif word == "end":
            balanced = balanced and bool(blocks)
            del blocks[-1:]
    return TemplateUse(frozenset(keys), frozenset(forbidden), balanced and not blocks)
