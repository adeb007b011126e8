"""Who approved a commit, as its message says."""

from __future__ import annotations

import re
from typing import Final

_APPROVING: Final = frozenset({"acked-by", "approved-by", "reviewed-by"})
"""Trailers that state somebody's consent; `Signed-off-by` states where the change is from, and `Tested-by` a test.

Source: Linux, Documentation/process/submitting-patches.rst; GitLab's templates of merge commits write `Approved-by`.
"""
_TRAILER: Final = re.compile(r"(?P<key>[A-Za-z][A-Za-z0-9-]*): *(?P<value>\S.*)")


def approvals(message: str) -> tuple[str, ...]:
    """The people that the trailers of a commit's message name as having approved it, each once, in order.

    Trailers are the lines of the last paragraph, unless it is the subject, of which one at least is a trailer.

    Source: git-interpret-trailers(1).
    """
    paragraphs = re.split(r"\n\s*\n", message.strip())
    if len(paragraphs) < 2:
        return ()
    found: dict[str, None] = {}
    for line in paragraphs[-1].splitlines():
        match = _TRAILER.fullmatch(line.strip())
        if match is not None and match["key"].lower() in _APPROVING:
            found[match["value"].strip()] = None
    return tuple(found)
