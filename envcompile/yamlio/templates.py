"""Recognises Helm and Jinja templates, which are often taken for YAML."""

from __future__ import annotations

import re
from typing import Final

# A template action where a line, an item or a value begins; in the middle of a text it is harmless.
_ACTION: Final = re.compile(r"^[ \t]*(?:- +)*(?:[^\s#'\"{][^\n#'\"{]*:[ \t]+)?(\{\{|\{%|\{#)", re.MULTILINE)
_HELM: Final = re.compile(
    r"\{\{-?\s*(?:/\*|\.(?:Values|Release|Chart|Capabilities|Files|Template)\b|include\b|define\b|toYaml\b|template\b|if\b|end\b|range\b|with\b|else\b)|\|\s*n?indent\b"
)
_JINJA: Final = re.compile(r"\{%|\{#|\bendif\b|\bendfor\b")


def template_problem(text: str, near: int) -> tuple[str, str, int] | None:
    """What to say of a text that is no YAML because it is a template: what, fix, place; None when it is none.

    Only a template on the line where the reader gave up, or on the one above, is the reason: further away it may be
    a harmless part of a text.

    Args:
        text: the whole file.
        near: the character at which the reader gave up.
    """
    end = text.find("\n", near) % (len(text) + 1)
    line = text.rfind("\n", 0, near) + 1
    above = text.rfind("\n", 0, max(line - 1, 0)) + 1
    action = _ACTION.search(text, above, end)
    if action is None:
        return None
    index = action.start(1)
    if _JINJA.search(text):
        return "the file is a Jinja template, not plain YAML", "envc renders no templates; render it first", index
    if _HELM.search(text):
        return (
            "the file is a Helm template, not plain YAML",
            "envc renders no templates; `envc init NEW --from-helm CHART` brings a whole chart over",
            index,
        )
    return (
        "a template stands where YAML needs a value",
        'put it in quotes: "{{ … }}"; envc renders no templates, so render the file first if it is one',
        index,
    )


def container_problem(text: str, index: int) -> tuple[str, str]:
    """What to say of a map or list that stands where a key belongs: what, fix."""
    if "{{" in text[max(index - 1, 0) : index + 2] and (found := template_problem(text, index)):
        return found[0], found[1]
    return "a map or list is used as a key", "keys are words; put the key in quotes if it is a text"


def escaped(text: str) -> str:
    """Literal text as a Go template writes it: only `{{` means something there."""
    return text.replace("{{", '{{ "{{" }}')
