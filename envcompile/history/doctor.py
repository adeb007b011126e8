"""Is what the database holds still what was recorded, and is all of it there?"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from envcompile.history.stats import changes_by_revision, every_content
from envcompile.history.store import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.history.store import Revision, Store
    from envcompile.model import ResourceId


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
    """The digest of what each revision holds; each state is made from its base's, so that all is read once."""
    for environment in store.environments():
        changes = changes_by_revision(store.database, environment)
        children: dict[int | None, list[Revision]] = {}
        for revision in store.revisions(environment).values():
            children.setdefault(revision.base, []).append(revision)
        todo: list[tuple[Revision, dict[ResourceId, tuple[bytes, str]]]] = [
            (root, {}) for root in children.get(None, ())
        ]
        while todo:
            revision, before = todo.pop()
            state = dict(before)
            for identity, digest, file in changes.get(revision.id, ()):
                if digest is None:
                    state.pop(identity, None)
                else:
                    state[identity] = (digest, file)
            yield revision, digest_of((identity, *held) for identity, held in state.items())
            todo += [(child, state) for child in children.get(revision.id, ())]
