"""`ref+env://NAME`: an env var of whoever seals."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from envcompile.secrets.backends import OriginError, Resolved
from envcompile.secrets.bounds import refuse_env
from envcompile.secrets.plaintext import Plaintext
from envcompile.secrets.scheme import Scheme

if TYPE_CHECKING:
    from envcompile.secrets.backends import Surroundings
    from envcompile.secrets.references import Reference


def _resolve(reference: Reference, surroundings: Surroundings) -> Resolved:
    refuse_env(reference.path, surroundings.environ)
    value = surroundings.environ.get(reference.path)
    if value is None:
        raise OriginError(
            f"the env var `{reference.path}` is not set",
            f"export it for this one command: `{reference.path}=… envc secrets seal …`",
            absent=True,
        )
    return Resolved(Plaintext(os.fsencode(value)))


SCHEME = Scheme(_resolve)
