"""Names that kustomize's generators made: the name somebody chose, and a hash of the content behind it.

Source: kustomize api/hasher `encode`: ten of the characters that hexadecimal digits become when vowels and look-alikes
are replaced.
"""

from __future__ import annotations

import re
from typing import Final

_HASH: Final = r"-[bcdfghkmt2456789]{10}$"
SUFFIX_ANNOTATION: Final = "envcompile.dev/name-suffix"
"""On a ConfigMap or Secret: `hash`, where its name shall end in one; the build takes it out."""
GENERATED_KINDS: Final = frozenset({"ConfigMap", "Secret"})


def has_content_hash(name: str) -> bool:
    """Whether a name ends in such a hash."""
    return re.search(_HASH, name) is not None


def without_content_hash(name: str) -> str:
    """The name that somebody chose."""
    return re.sub(_HASH, "", name)
