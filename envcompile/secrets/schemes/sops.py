"""`ref+sops://FILE#/KEY`: one value of a SOPS file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.secrets.scheme import Scheme

if TYPE_CHECKING:
    from envcompile.secrets.backends import Resolved, Surroundings
    from envcompile.secrets.references import Reference


def _resolve(reference: Reference, surroundings: Surroundings) -> Resolved:
    from envcompile.secrets.sopsfiles import from_sops

    return from_sops(reference, surroundings)


def _version(reference: Reference, surroundings: Surroundings) -> str | None:
    from envcompile.secrets.sopsfiles import encrypted_text

    return encrypted_text(reference, surroundings)


SCHEME = Scheme(_resolve, needs_fragment=True, version=_version)
