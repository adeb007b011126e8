"""Takes an image reference apart into repository, tag and digest, and only when it can be put together again."""

from __future__ import annotations

import re
from typing import NamedTuple

_REPOSITORY = r"(?P<repository>[^\s@:{}$\"'\\]+(?::[0-9]+/[^\s@:{}$\"'\\]+)?)"
_REFERENCE = re.compile(
    _REPOSITORY + r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]*))?(?:@(?P<digest>[A-Za-z0-9_+.-]+:[0-9a-fA-F]+))?"
)


class Reference(NamedTuple):
    """The parts of an image reference; an empty part is not written."""

    repository: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        return self.repository + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse(text: str) -> Reference | None:
    """The parts of a reference; None for a text that is not one, such as an unresolved variable."""
    found = _REFERENCE.fullmatch(text)
    if found is None:
        return None
    reference = Reference(found["repository"], found["tag"] or "", found["digest"] or "")
    return reference if str(reference) == text else None
