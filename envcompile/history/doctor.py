"""Is what the database holds still what was recorded, and is all of it there?"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from envcompile.history.figures import every_content
from envcompile.history.store import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.history.store import Revision, Store


class Checked(NamedTuple):
    """How much was verified, and what is wrong."""

    contents: int
    revisions: int
    damage: tuple[str, ...]


def check(store: Store) -> Checked:
    """Verify the digest of every content and of every revision."""
    damage: list[str] = []
    contents = 0
    for number, digest, body in every_content(store.database):
        contents += 1
        if body is None or hashlib.sha256(body).digest() != digest:
            damage.append(f"content {number} is damaged")
    revisions = 0
    for revision, digest in _digests(store):
        revisions += 1
        if not revision.problem and digest != revision.digest:
            damage.append(f"{revision.environment} at {revision.commit[:12]} is not what was recorded")
    return Checked(contents, revisions, tuple(damage))


def _digests(store: Store) -> Iterator[tuple[Revision, bytes]]:
    for environment in store.environments():
        for revision in store.revisions(environment).values():
            state = store.state(revision.id)
            yield revision, digest_of((identity, held.digest, held.file) for identity, held in state.items())
