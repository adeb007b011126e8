"""`ref+prompt://`: a person types the value in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.secrets.backends import OriginError, Resolved
from envcompile.secrets.plaintext import Plaintext
from envcompile.secrets.scheme import Scheme

if TYPE_CHECKING:
    from envcompile.secrets.backends import Surroundings
    from envcompile.secrets.references import Reference


def _resolve(_reference: Reference, surroundings: Surroundings) -> Resolved:
    if surroundings.prompt is None:
        raise OriginError(
            "its value is asked for, and nobody is here to answer",
            "run `envc secrets set` with the value on stdin",
            absent=True,
        )
    return Resolved(Plaintext(surroundings.prompt("").encode()))


SCHEME = Scheme(_resolve, needs_path=False, is_typed_in=True)
