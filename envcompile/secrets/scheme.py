"""The schemes of references: each module of `secrets/schemes/` is one, found by being there.

A module is called as its scheme and says all about it in one value, `SCHEME`. Packages of others add schemes by the
entry point group `backends.ENTRY_POINTS`; what those take and need is their own matter.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from envcompile.registry import module_of, names_in
from envcompile.secrets import schemes as folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from envcompile.secrets.backends import Resolver, Surroundings
    from envcompile.secrets.references import Reference


class Refusal(NamedTuple):
    """Why a reference cannot mean anything, and what to write."""

    what: str
    fix: str


class Scheme(NamedTuple):
    """One scheme: how its values are read, and what its references look like."""

    resolve: Resolver
    parameters: tuple[str, ...] = ()
    """What it takes besides `references.COMMON_PARAMETERS`."""
    needs_path: bool = True
    needs_fragment: bool = False
    """Whether its path names several values, of which the fragment chooses one."""
    is_local: bool = True
    """Whether it exists only where values are sealed, so that no operator in a cluster can read it."""
    is_typed_in: bool = False
    """Whether a person types the value, which is kept nowhere."""
    judge: Callable[[Reference], Refusal | None] | None = None
    """Further conditions on a reference."""
    version: Callable[[Reference, Surroundings], str | None] | None = None
    """The source's own version of a value, had without reading the value; may raise OriginError."""


def schemes() -> Mapping[str, Scheme]:
    """Every built-in scheme by its name, in alphabetical order."""
    return _schemes(tuple(folder.__path__))


@lru_cache(maxsize=2)
def _schemes(paths: tuple[str, ...]) -> Mapping[str, Scheme]:
    return {name: module_of(folder, name).SCHEME for name in names_in(paths)}


def is_typed_in(reference: Reference) -> bool:
    """Whether a person types the value of this reference in."""
    scheme = schemes().get(reference.scheme)
    return scheme is not None and scheme.is_typed_in
