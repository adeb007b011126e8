"""What the history database holds, as values: contents, states, revisions, and what a revision changes."""

from __future__ import annotations

import hashlib
import json
from itertools import starmap
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.model import ResourceId

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence


class Held(NamedTuple):
    """One resource in a state: which content it has, and the file it is written to."""

    content: int
    digest: bytes
    file: str


State = dict[ResourceId, Held]


class Content(NamedTuple):
    """One resource to be recorded: its JSON text (empty when it is recorded already) and the file it is written to."""

    body: bytes
    digest: bytes
    file: str


class FieldRow(NamedTuple):
    """One field that a revision changed; `old` and `new` are JSON, empty where the field is not there."""

    resource: ResourceId
    field: str
    how: str
    old: str
    new: str
    place: str


class Revision(NamedTuple):
    """One environment at one commit."""

    id: int
    commit: str
    environment: str
    base: int | None
    digest: bytes
    resources: int
    problem: str


class Delta(NamedTuple):
    """A revision to be recorded: what it changes against its base, the same environment at the first parent.

    Without a base it changes nothing that was there, and holds all.
    """

    environment: str
    base: Revision | None
    changed: Mapping[ResourceId, Content]
    gone: Collection[ResourceId]
    digest: bytes
    resources: int
    problem: str = ""
    fields: Sequence[FieldRow] = ()


def delta_of(environment: str, base: Revision | None, before: State, contents: Mapping[ResourceId, Content]) -> Delta:
    """What an environment with these contents changes against what it held before; its fields are left to be found."""
    changed = {
        identity: content
        for identity, content in contents.items()
        if identity not in before or before[identity][1:] != content[1:]
    }
    gone = before.keys() - contents.keys()
    if base is not None and not base.problem and not changed and not gone:
        return unchanged(base)
    digest = digest_of((identity, content.digest, content.file) for identity, content in contents.items())
    return Delta(environment, base, changed, gone, digest, len(contents))


def unchanged(base: Revision) -> Delta:
    """A revision that is as its base is."""
    return Delta(base.environment, base, {}, (), base.digest, base.resources, base.problem)


def failed(environment: str, base: Revision | None, problem: str) -> Delta:
    """A revision that does not compile: it keeps what its base has, and has no digest of its own."""
    return Delta(environment, base, {}, (), b"", base.resources if base is not None else 0, problem)


def encode(value: Any) -> bytes:
    """A resource as the JSON text that is kept; keys stay in their order, which files show."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def content_of(value: Any, file: str) -> Content:
    """A resource ready to be recorded."""
    body = encode(value)
    return Content(body, hashlib.sha256(body).digest(), file)


def digest_of(contents: Iterable[tuple[ResourceId, bytes, str]]) -> bytes:
    """The digest of a whole environment: of each resource's identity, content and file, as JSON lists."""
    return hashlib.sha256(b"".join(starmap(line_of, sorted(contents)))).digest()


def line_of(identity: ResourceId, digest: bytes, file: str) -> bytes:
    """What one resource adds to the digest of its environment, in which resources are sorted by identity."""
    group, kind, namespace, name = identity
    line = f'["{group}", "{kind}", "{namespace}", "{name}", "{digest.hex()}", "{file}"]'
    if line.count('"') != 12 or "\\" in line or not line.isascii() or not line.isprintable():
        line = json.dumps([*identity, digest.hex(), file])
    return line.encode()
