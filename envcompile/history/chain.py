"""A chain of hashes over the record: whoever kept one of them sees whether anything before it was changed since.

The canonical form of an entry is JSON with sorted keys, without spaces, in UTF-8, of this map:

    {"commit": HASH, "parents": [HASH…], "author": [NAME, EMAIL, SECONDS], "committer": [NAME, EMAIL, SECONDS],
     "message": TEXT, "environments": {NAME: {"digest": HEX, "problem": TEXT,
       "resources": [[GROUP, KIND, NAMESPACE, NAME, SHA-256 of its JSON or "", FILE]…],
       "fields": [[GROUP, KIND, NAMESPACE, NAME, FIELD, HOW, OLD, NEW, PLACE]…]}}}

Resources are what the commit changed in the environment (all of it where the record begins), sorted; fields are those
that it changed, sorted. The hash of an entry is SHA-256 of the 32 bytes of the entry before it (zeros for the first)
followed by the canonical form. Entries are the recorded commits on the line of first parents, the oldest first. When it
was recorded, and by which version of envc, has no say: a record that was made anew has the same chain while it compiles
to the same.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.history.database import Database
    from envcompile.history.reading import HistoryReader

_ZERO: Final = bytes(32)


class Link(NamedTuple):
    """One commit with the hash of the chain up to it."""

    commit: str
    hash: str
    """64 hexadecimal digits."""


def chain(store: HistoryReader, line: Sequence[str]) -> list[Link]:
    """The hashes of the record along a line of commits.

    Args:
        store: the history.
        line: the recorded commits, the oldest first.
    """
    with store.database.reading():
        facts = store.commits(line)
        environments = _environments(store.database)
    found = []
    before = _ZERO
    for name in line:
        commit = facts[name]
        entry = {
            "commit": commit.hash,
            "parents": list(commit.parents),
            "author": [commit.author_name, commit.author_email, commit.authored_at],
            "committer": [commit.committer_name, commit.committer_email, commit.committed_at],
            "message": commit.message,
            "environments": environments.get(name, {}),
        }
        before = hashlib.sha256(before + canonical(entry)).digest()
        found.append(Link(name, before.hex()))
    return found


def canonical(entry: Any) -> bytes:
    """The canonical form of an entry."""
    return json.dumps(entry, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")


def altered_contents(database: Database) -> Iterator[str]:
    """The digests of contents whose text is another one than was recorded."""
    numbers = [row[0] for row in database.rows("SELECT id FROM content ORDER BY id")]
    for digest, body in database.rows_in("SELECT digest, body FROM content WHERE id", numbers):
        try:
            text = zlib.decompress(body)
        except zlib.error:
            text = b""
        if hashlib.sha256(text).digest() != bytes(digest):
            yield bytes(digest).hex()


def _environments(database: Database) -> dict[str, dict[str, Any]]:
    """Commit -> environment -> what the record says of it."""
    found: dict[str, dict[str, Any]] = {}
    held: dict[int, dict[str, Any]] = {}
    for number, commit, environment, digest, problem in database.rows(
        "SELECT r.id, c.hash, e.name, r.digest, r.problem FROM revision r "
        "JOIN recorded_commit c ON c.id = r.commit_id JOIN environment e ON e.id = r.environment_id"
    ):
        told = {"digest": bytes(digest).hex(), "problem": problem, "resources": [], "fields": []}
        held[number] = found.setdefault(commit, {})[environment] = told
    for number, *identity, digest, file in database.rows(
        "SELECT h.revision_id, x.api_group, x.kind, x.namespace, x.name, k.digest, h.file FROM resource_change h "
        "JOIN resource x ON x.id = h.resource_id LEFT JOIN content k ON k.id = h.content_id"
    ):
        if number in held:  # else its commit was taken out of the record, which ends there
            text = bytes(digest).hex() if digest is not None else ""
            held[number]["resources"].append([*identity, text, file])
    for number, *row in database.rows(
        "SELECT f.revision_id, x.api_group, x.kind, x.namespace, x.name, f.field, f.how, f.old, f.new, f.place "
        "FROM field_change f JOIN resource x ON x.id = f.resource_id"
    ):
        if number in held:
            held[number]["fields"].append(row)
    for told in held.values():
        told["resources"].sort()
        told["fields"].sort()
    return found
