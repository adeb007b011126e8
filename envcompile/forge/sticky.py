"""Comments that stay where they are: written once, changed in place, taken away when there are too many."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.forge.parts import read_marker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.forge.hosts import Comment, Host


class Published(NamedTuple):
    """What was done to the comments."""

    created: int
    updated: int
    unchanged: int
    deleted: int

    def __str__(self) -> str:
        pairs = zip(self, ("written", "updated", "unchanged", "deleted"), strict=True)
        return ", ".join(f"{count} {word}" for count, word in pairs if count) or "nothing to do"


def publish(host: Host, bodies: Sequence[str], *, key: str, farewell: str) -> Published:
    """Make our comments say exactly this.

    Only comments of the token's owner that end with the marker are touched: quoting one does not make it ours.

    Args:
        host: where they are.
        bodies: the parts in order, each with its marker; none when there is nothing to say.
        key: the markers' key.
        farewell: what the first comment says when there is nothing to say any more; nothing is written for it anew.
    """
    known = _ours(host, key)
    wanted = list(bodies) or ([farewell] if known else [])
    created = updated = unchanged = deleted = 0
    sent_twice = False
    for number, body in enumerate(wanted, 1):
        standing = known.pop(number, [])
        if not standing:
            sent_twice |= host.create(body) > 1
            created += 1
            continue
        first, *others = standing
        if first.body.strip() == body.strip():
            unchanged += 1
        else:
            host.update(first.id, body)
            updated += 1
        known[-number] = others
    for comments in known.values():
        for comment in comments:
            host.delete(comment.id)
            deleted += 1
    if sent_twice:
        # A request that failed halfway may have left its comment behind all the same.
        for comments in _ours(host, key).values():
            for comment in comments[1:]:
                host.delete(comment.id)
    return Published(created, updated, unchanged, deleted)


def _ours(host: Host, key: str) -> dict[int, list[Comment]]:
    """Our comments by the number of their part; several where an earlier run was cut short."""
    found: dict[int, list[Comment]] = {}
    for comment in host.own_comments():
        mark = read_marker(comment.body)
        if mark is not None and mark.key == key:
            found.setdefault(mark.part, []).append(comment)
    return found
