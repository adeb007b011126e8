"""Comments that stay where they are: written once, changed in place, taken away when there are too many."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from envcompile.forge.parts import read_marker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.forge.comments import Comment, Host
    from envcompile.forge.parts import Mark


class Published(NamedTuple):
    """What was done to the comments."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    newer: str = ""
    """The commit that the pull request has meanwhile; its own job writes the comments."""

    def __str__(self) -> str:
        if self.newer:
            return f"left to the job of {self.newer[:12]}, which is the newest commit by now"
        pairs = zip(self[:4], ("written", "updated", "unchanged", "deleted"), strict=True)
        return ", ".join(f"{count} {word}" for count, word in pairs if count) or "nothing to do"


def publish(host: Host, bodies: Sequence[str], *, key: str, farewell: str) -> Published:
    """Make our comments say exactly this.

    Only comments of the token's owner that end with the marker are touched: quoting one does not make it ours. A job
    whose commit is not the pull request's newest any more changes nothing.

    Args:
        host: where they are.
        bodies: the parts in order, each with its marker; none when there is nothing to say.
        key: the markers' key.
        farewell: what the first comment says when there is nothing to say any more; nothing is written for it anew.
    """
    standing = [comment for comment, _ in _ours(host, key)]
    wanted = list(bodies) or ([farewell] if standing else [])
    created = updated = unchanged = deleted = 0
    newer = ""
    # The comments are filled from the oldest on, whatever parts they held, so that the parts stand in order.
    for comment, body in zip_longest(standing, wanted):
        if comment is not None and body is not None and _plain(comment.body) == _plain(body):
            unchanged += 1
            continue
        # Asked right before each write: what is pushed between the two is seen by a job that has not even started.
        newer = host.newer_commit()
        if newer:
            break
        if body is None:
            host.delete(comment.id)
            deleted += 1
        elif comment is not None and host.update(comment.id, body):
            updated += 1
        else:
            host.create(body)
            created += 1
    if created:
        _settle(host, key, wanted[0])
    return Published(created, updated, unchanged, deleted, newer)


def _settle(host: Host, key: str, body: str) -> None:
    """Delete what stands twice: two jobs wrote at once, or a request that failed was carried out all the same.

    Jobs that do this at once keep the same comment: the oldest one that speaks of the pull request's newest commit.
    """
    twins: dict[int, list[tuple[Comment, Mark]]] = {}
    for comment, mark in _ours(host, key):
        twins.setdefault(mark.part, []).append((comment, mark))
    if all(len(group) == 1 for group in twins.values()):
        return
    own = read_marker(body)
    newest = host.newer_commit() or (own.commit if own is not None else "")
    for group in twins.values():
        kept = next((comment for comment, mark in group if mark.commit == newest), group[0][0])
        for comment, _ in group:
            if comment.id != kept.id:
                host.delete(comment.id)


def _ours(host: Host, key: str) -> list[tuple[Comment, Mark]]:
    """Our comments with their markers, oldest first."""
    marked = ((comment, read_marker(comment.body)) for comment in host.own_comments())
    return [(comment, mark) for comment, mark in marked if mark is not None and mark.key == key]


def _plain(body: str) -> str:
    """A comment's text as the host may give it back: an editor in a browser writes other line ends."""
    return body.replace("\r\n", "\n").strip()
