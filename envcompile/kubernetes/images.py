"""Image references: how a container names what it runs."""

from __future__ import annotations

import re
from typing import NamedTuple

# A repository may begin with a registry that has a port; anything that a template engine would put in is no reference.
_EXACT = (
    r"[^\s@:{}$\"'\\]+(?::[0-9]+/[^\s@:{}$\"'\\]+)?"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?(?:@[A-Za-z0-9_+.-]+:[0-9a-fA-F]+)?"
)


class ImageReference(NamedTuple):
    """An image reference taken apart; the tag and the digest may be empty.

    Grammar: github.com/distribution/reference, `name [":" tag] ["@" digest]`, where the name may begin with a
    registry that has a port.
    """

    name: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse_image(text: str) -> ImageReference:
    """Take an image reference apart; a colon before the last slash belongs to the registry."""
    name, _, digest = text.partition("@")
    head, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        return ImageReference(name, "", digest)
    return ImageReference(head, tag, digest)


def parse_exact_image(text: str) -> ImageReference | None:
    """As `parse_image`; None for a text that is no reference, such as one with an unresolved variable."""
    return parse_image(text) if re.fullmatch(_EXACT, text) else None


def is_placeholder(text: str) -> bool:
    """Tell whether a text stands for an image that is built and named by digest before it is applied.

    Source: ko.build, `ko resolve` and `ko apply` replace `ko://IMPORT/PATH`.
    """
    return text.startswith("ko://")
